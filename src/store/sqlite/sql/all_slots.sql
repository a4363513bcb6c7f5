SELECT slot, id FROM object NOT INDEXED ORDER BY slot
