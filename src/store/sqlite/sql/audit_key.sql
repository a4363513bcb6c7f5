SELECT audit_public, sealed_audit_key FROM head WHERE one = 1
