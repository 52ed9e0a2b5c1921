"""Web applications on Trio: any ASGI application, served by hypercorn's protocols.

`serve_app` runs one beside actors, in the same Trio program: the extra ``web``. What one connection does, or
an application does with it, ends that connection and nothing else, and a stop says goodbye.
"""

from aip_trio.web._server import WebServer, WebServerStatistics, serve_app

__all__ = ["WebServer", "WebServerStatistics", "serve_app"]
