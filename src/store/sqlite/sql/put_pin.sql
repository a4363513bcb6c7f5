INSERT OR REPLACE INTO pin
    (role, tries, salt, memory_kib, passes, lanes, pepper, sealed_master)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
