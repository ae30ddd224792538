-- Run once by the PostgreSQL image, when its volume is empty: Rasa's tracker store beside the ledger.
CREATE DATABASE rasa;
