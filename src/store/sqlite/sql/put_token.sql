INSERT INTO token (one, serial, label, instance, epoch) VALUES (1, ?1, ?2, ?3, ?4)
ON CONFLICT (one) DO UPDATE SET
    serial = excluded.serial, label = excluded.label,
    instance = excluded.instance, epoch = excluded.epoch
