DELETE FROM search WHERE slot = ?1
