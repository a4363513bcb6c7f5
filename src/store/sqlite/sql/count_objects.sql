SELECT count(*) FROM object
