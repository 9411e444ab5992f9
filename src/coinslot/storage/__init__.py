"""Drivers that store files: a folder of this computer, or a bucket of an S3-compatible service."""
