SELECT slot, id FROM object ORDER BY slot
