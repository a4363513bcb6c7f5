PRAGMA integrity_check(64)
