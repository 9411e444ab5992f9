-- To come in this release.
SELECT 1;
