"""The images that jobs and uploads of a made-up history left, and what their checks found."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imageskill.dev.demo import pictures
from imageskill.dev.demo.dice import Dice
from imageskill.dev.demo.pictures import Tile
from imageskill.dev.demo.sheets import Sheets
from jobs.models import Asset, AssetCheck, Job, StagedOutput, Upload

_ANYBODY = -1
_State = Asset.State


@dataclass
class Results:
    """Makes assets of painted tiles, which many share; an upload has bytes of its own."""

    dice: Dice
    sheets: Sheets
    tiles: list[Tile]
    spoiled: list[Tile]
    now: datetime
    # By the agent's key: what it can edit next. An image that looks like an earlier one is
    # found among everybody's.
    last_asset: dict[int, Asset] = field(default_factory=dict)

    def made(self, job: Job, tile: Tile) -> Asset:
        """Store the image of a completed job; one in many is spoiled, hidden or taken down."""
        if self.dice.random() < 0.006:
            tile = self.dice.choice(self.spoiled)
        asset = self._asset(job, tile, job.completed_at or self.now, kind=Asset.Kind.GENERATED)
        if self.dice.random() < 0.003:
            asset.state = self.dice.choice([_State.QUARANTINED, _State.WITHDRAWN])
            hidden_at = self.dice.after(asset.created_at, 3600, 3 * 86400)
            asset.state_changed_at = min(hidden_at, self.now)
        self._check(asset, tile)
        return asset

    def uploaded(self, job: Job) -> Asset:
        """Store an upload; its owner deleted some. Others' bytes don't go with an upload's."""
        tile = self.dice.choice(self.tiles)
        asset = self._asset(job, tile, job.created_at, kind=Asset.Kind.UPLOADED)
        if self.dice.random() < 0.1:
            asset.storage_key = asset.thumbnail_key = ""
            asset.state = _State.DELETED
            asset.state_changed_at = min(job.created_at + timedelta(days=9), self.now)
        else:
            own = pictures.copy(tile, asset.public_id)
            asset.storage_key, asset.thumbnail_key = own.storage_key, own.thumbnail_key
            self._check(asset, tile)
        self.sheets.add(
            Upload(
                asset=asset,
                source_kind=Upload.SourceKind.LOCAL_PATH,
                filename="reference.png",
                received_bytes=tile.content_length,
                received_sha256=tile.sha256,
                had_metadata=self.dice.random() < 0.4,
            )
        )
        return asset

    def kept(self, job: Job, tile: Tile) -> None:
        """Keep an output that storage would not take, where the job's next attempt finds it."""
        self.sheets.add(
            StagedOutput(
                job=job,
                index=0,
                asset_public_id=self.dice.public_id("asset"),
                kept_key=pictures.keep(tile, job.public_id),
                mime_type="image/png",
                content_length=tile.content_length,
                width=tile.size[0],
                height=tile.size[1],
                sha256=tile.sha256,
            )
        )

    def _asset(self, job: Job, tile: Tile, at: datetime, *, kind: str) -> Asset:
        return self.sheets.add(
            Asset(
                public_id=self.dice.public_id("asset"),
                organization_id=job.organization_id,
                agent=job.agent,
                job=job,
                kind=kind,
                mime_type="image/png",
                content_length=tile.content_length,
                width=tile.size[0],
                height=tile.size[1],
                sha256=tile.sha256,
                storage_key=tile.storage_key,
                thumbnail_key=tile.thumbnail_key,
                created_at=at,
            )
        )

    def _check(self, asset: Asset, tile: Tile) -> None:
        earlier = self.last_asset.get(_ANYBODY)
        is_generated = asset.kind == Asset.Kind.GENERATED
        is_lookalike = (
            is_generated
            and tile.decodes
            and earlier is not None
            and earlier.agent.pk != asset.agent.pk
            and self.dice.random() < 0.004
        )
        is_planned = not is_generated or self.dice.random() > 0.004
        findings = [
            (not tile.decodes, "The bytes begin like image/png but can't be decoded."),
            (not is_planned, "The plan expected another size or type."),
            (tile.is_blank, "One flat color."),
            (is_lookalike, "Looks the same as another agent's image."),
        ]
        found = [text for is_so, text in findings if is_so]
        self.sheets.add(
            AssetCheck(
                asset=asset,
                checked_at=self.dice.after(asset.created_at, 0.3, 3),
                is_good=not found,
                decodes=tile.decodes,
                is_as_promised=tile.decodes,
                is_as_planned=is_planned,
                is_blank=tile.is_blank,
                difference_hash=tile.difference_hash,
                bands=tile.bands,
                same_as=earlier if is_lookalike else None,
                finding=" ".join(found),
            )
        )
        if tile.decodes and not tile.is_blank and asset.state == _State.AVAILABLE:
            self.last_asset[asset.agent.pk] = self.last_asset[_ANYBODY] = asset
