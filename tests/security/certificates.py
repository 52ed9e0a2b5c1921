"""Certificates of an authority of the tests' own."""

import ssl
from functools import cached_property
from pathlib import Path

import trustme

__all__ = ["Authority"]


class Authority:
    """Signs certificates, and makes the contexts that trust it."""

    @cached_property
    def ca(self) -> trustme.CA:
        return trustme.CA(key_type=trustme.KeyType.ECDSA)

    def server(self, *, demands: bool = False) -> ssl.SSLContext:
        """Of a server on the loopback; one that ``demands`` certificates takes this authority's alone."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.show(context, "127.0.0.1", "localhost")
        if demands:
            self.trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, *names: str, common_name: str | None = None) -> ssl.SSLContext:
        """Of a client with a certificate of these names; without one, if there is none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.trust(context)
        if names or common_name:
            self.show(context, *names, common_name=common_name)
        return context

    def trust(self, context: ssl.SSLContext) -> None:
        """Have it take this authority's certificates."""
        context.load_verify_locations(cadata=self.ca.cert_pem.bytes().decode())

    def show(self, context: ssl.SSLContext, *names: str, common_name: str | None = None) -> None:
        """Have it show a certificate of these names."""
        certificate = self.ca.issue_cert(*names, common_name=common_name, key_type=trustme.KeyType.ECDSA)
        with certificate.private_key_and_cert_chain_pem.tempfile() as file:
            context.load_cert_chain(file)

    def files(self, folder: Path, name: str) -> tuple[Path, Path]:
        """A certificate of this name with its key, and the authority's own: two files."""
        folder.mkdir(exist_ok=True)
        mine, authority = folder / f"{name}.pem", folder / "authority.pem"
        self.ca.issue_cert(name, common_name=name).private_key_and_cert_chain_pem.write_to_path(str(mine))
        self.ca.cert_pem.write_to_path(str(authority))
        return mine, authority
