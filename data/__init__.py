"""The sample city and the code lists: data that ships with the service, or is read from packages that ship it."""
