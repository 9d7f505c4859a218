"""The archive beside FastAPI inside Microsoft's production worker library: what a user of Azure Functions would pick.

Each side is a process of its own, because a worker process loads one app. The bench gives it serialised requests and
takes serialised answers, as the host does over gRPC. The host itself and gRPC are not measured.
"""
