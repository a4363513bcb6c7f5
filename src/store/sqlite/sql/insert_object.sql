INSERT INTO object
    (slot, id, version, class, key_type, private, epoch, data_key, sealed, clear)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
