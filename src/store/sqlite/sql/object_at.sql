SELECT slot, version, class, key_type, private, epoch, data_key, sealed, clear
FROM object WHERE slot = ?1
