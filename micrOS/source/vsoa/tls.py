"""TLS below VSOA: the same packets, no quick channel. Keys of `sslopt` are those of the public package.

cert, key, passwd, ca_cert, load_default_certs, sni_callback, verify_mode, handsake_error_log (sic), and hostname for a
client. A server that has a ca_cert wants certificates of its clients. A board takes cert and key as DER bytes or files
of them, and verifies only against a ca_cert. An empty dict is TLS too, with the defaults.
"""
import sys

if sys.implementation.name == "micropython":
    from .tls_board import client_side, server_side
else:
    from .tls_host import client_side, server_side

__all__ = ("client_side", "server_side")
