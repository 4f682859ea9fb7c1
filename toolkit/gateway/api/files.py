"""Files of a node: what is there, and a drop of more: looked through first, then sent, its progress told as events."""
from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, Field

from toolkit.gateway import drop
from toolkit.gateway.api.doors import Admin, TheGateway, TheNode, View, entered
from toolkit.gateway.problems import OF_A_NODE, responses

router = APIRouter(tags=["files"], dependencies=entered, responses=responses(*OF_A_NODE))


class NodeFile(BaseModel):
    name: str
    bytes: int
    sha256: str


class Files(BaseModel):
    free_bytes: int
    files: list[NodeFile]


class Finding(BaseModel):
    file: str
    line: int
    rule: str
    what: str
    expected: str
    mend: str


class SentFile(BaseModel):
    name: str = Field(description="where it lies on the node")
    bytes: int
    sent: bool = Field(description="false: it was there already")
    seconds: float


class Drop(BaseModel):
    done: bool = Field(description="false: nothing was sent, the findings say why; force=true sends all the same")
    findings: list[Finding] = Field(description="of the load modules among them")
    files: list[SentFile]


@router.get("/devices/{device}/files")
async def files(node: TheNode, caller: View) -> Files:
    """What lies on the node's flash. Its file port has one seat: 409 when it is taken."""
    held = await asyncio.to_thread(drop.held, node.device, node.files_port)
    rows = [NodeFile(name=name, bytes=size, sha256=digest) for name, (size, digest) in sorted(held.files.items())]
    return Files(free_bytes=held.free, files=rows)


@router.post("/devices/{device}/files")
async def send(
    node: TheNode, gateway: TheGateway, caller: Admin,
    files: Annotated[list[UploadFile], File(min_length=1, max_length=drop.MOST_FILES,
                                            description="their names are those on the node; a folder as usr/x.py")],
    force: Annotated[bool, Query(description="send what the check has found something in, all the same")] = False,
) -> Drop:
    """Look through load modules, then send. Each file is live when it has arrived; events `drop.*` tell of it."""
    limits = gateway.settings
    parcel = [drop.Parcel(drop.checked_name(each.filename), await each.read(limits.max_file_bytes + 1))
              for each in files]
    drop.check(parcel, limits)
    findings = await asyncio.to_thread(drop.findings, parcel)
    rows = [Finding(file=each.path.name, line=each.line, rule=each.rule, what=each.what, expected=each.expected,
                    mend=each.mend) for each in findings]
    if findings and not force:
        return Drop(done=False, findings=rows, files=[])
    sent = await drop.send(node, parcel, gateway.events)
    return Drop(done=True, findings=rows, files=[SentFile(**vars(each)) for each in sent])
