-- The version of its configuration that the device says it has; NULL: it says none.
ALTER TABLE devices ADD COLUMN config_version integer;
