SELECT coalesce(max(slot) + 1, 0) FROM object WHERE slot < ?1
