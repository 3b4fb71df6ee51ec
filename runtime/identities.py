"""Who the development identity service lets people be: the sample people, told apart by organisation and post."""

import secrets

from models.contracts.vocabulary import ActorKind
from runtime.embedded.identity import Client, Identity, IdentityServer
from runtime.samples import Directory, SamplePerson, read_directory
from runtime.settings import Settings


def development_service(settings: Settings) -> IdentityServer:
    """For this installation alone, and for this run: its secret is told to the web process and to nobody else."""
    base = settings.base_url
    client = Client(settings.oidc_client_id, secrets.token_urlsafe(32), f"{base}/enter/callback", f"{base}/enter")
    return IdentityServer(settings.var, settings.identity_port, sample_identities(), client)


def sample_identities() -> list[Identity]:
    """The people of samples/directory.yaml, in its order; one address is one of them, wherever it is registered."""
    directory = read_directory()
    registered: dict[str, list[SamplePerson]] = {}
    for person in directory.people:
        registered.setdefault(person.email.lower(), []).append(person)
    return [_identity(directory, memberships) for memberships in registered.values()]


def _identity(directory: Directory, memberships: list[SamplePerson]) -> Identity:
    first = memberships[0]
    posts = dict.fromkeys(post.label for person in memberships for post in person.posts)
    return Identity(
        subject=first.email.partition("@")[0] + "-" + (first.insurer or first.kind.value).lower(),
        name=first.name,
        email=first.email,
        organisation=_organisation(directory, first),
        post="、".join(posts) + (f"（{len(memberships)} 家机构）" if len(memberships) > 1 else ""),
    )


def _organisation(directory: Directory, person: SamplePerson) -> str:
    if person.provider:
        return next(one.name for one in directory.providers if one.credit_code == person.provider)
    if person.insurer:
        return next(one.name for one in directory.insurers if one.code == person.insurer)
    if person.department:
        office = (person.department.region, person.department.department)
        return next(one.name for one in directory.departments if (one.region, one.department) == office)
    return ActorKind.OPERATOR.label
