SELECT sealed_key FROM epoch WHERE number = ?1
