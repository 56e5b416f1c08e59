"""Methods and estimators compared with each other and with known answers."""
