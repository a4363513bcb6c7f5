SELECT tries, salt, memory_kib, passes, lanes, pepper, sealed_master FROM pin WHERE role = ?1
