"""Profiles: what a standard product looks like, as data; sources are recognised by them, and read as they say."""

from loaders.profiles.model import FieldProfile, LayerProfile, Profile, Rule
from loaders.profiles.reading import BadProfile, NoSuchProfile, find_profile, read_profile, shipped_profiles
from loaders.profiles.recognise import Match, recognise

__all__ = [
    "BadProfile",
    "FieldProfile",
    "LayerProfile",
    "Match",
    "NoSuchProfile",
    "Profile",
    "Rule",
    "find_profile",
    "read_profile",
    "recognise",
    "shipped_profiles",
]
