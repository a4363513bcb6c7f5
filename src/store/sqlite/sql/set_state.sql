UPDATE head SET state_root = ?1, room = ?2, slots = ?3 WHERE one = 1
