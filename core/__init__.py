"""What every other package stands on: settings, errors, language, the database, and the catalogue of data sets."""
