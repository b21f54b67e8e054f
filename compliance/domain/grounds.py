"""Grounds of erasure: what the law gives as a reason to erase a person's data."""

# GDPR (Regulation (EU) 2016/679), Article 17 (1).
GROUNDS = {
    "GDPR-17-1-a": "no longer necessary for what they were collected for",
    "GDPR-17-1-b": "consent was withdrawn",
    "GDPR-17-1-c": "the person objects",
    "GDPR-17-1-d": "unlawfully processed",
    "GDPR-17-1-e": "a legal obligation to erase",
    "GDPR-17-1-f": "collected from a child for a service of the information society",
}
