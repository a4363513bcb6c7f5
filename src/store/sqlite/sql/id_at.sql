SELECT id FROM object WHERE slot = ?1
