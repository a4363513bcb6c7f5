INSERT OR REPLACE INTO head
    (one, generation, size, root, frontier, last_at, last_len, checkpoint,
    state_root, room, slots, audit_public, sealed_audit_key)
VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
