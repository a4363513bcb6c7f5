SELECT generation, size, root, frontier, last_at, last_len, checkpoint,
    state_root, room, slots, audit_public, sealed_audit_key
FROM head WHERE one = 1
