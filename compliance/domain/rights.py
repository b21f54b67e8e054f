"""Rights: what a person may do with an organization's records."""

RIGHTS = {
    "metadata": "see what happened: times, actions, outcomes, counts",
    "identities": "see who: users, session tokens, addresses, agents, metadata",
    "content": "see prompts and responses",
    "originals": "see text as it was before redaction",
    "alerts": "work on alerts and incidents",
    "privacy": "answer data-subject requests, erase",
    "retention": "set retention, place and release holds",
    "access": "manage services, keys and grants",
}
