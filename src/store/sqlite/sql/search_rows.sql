SELECT attribute, value FROM search WHERE slot = ?1 ORDER BY attribute, value
