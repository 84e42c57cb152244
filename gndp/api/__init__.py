"""The REST API: the contract's endpoints and those that its users expect beside them.

Routes decide nothing: each calls one verb of the workbench, and one place makes its answer or its refusal
into a reply.
"""
