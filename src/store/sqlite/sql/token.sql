SELECT serial, label, instance, epoch FROM token WHERE one = 1
