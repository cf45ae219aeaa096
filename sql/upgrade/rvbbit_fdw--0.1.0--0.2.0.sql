\echo Use "ALTER EXTENSION rvbbit_fdw UPDATE" to load this file. \quit

-- The wrapper is as it was; its library comes with the image.
