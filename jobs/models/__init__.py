"""The rows of jobs, a module for each aggregate."""

from jobs.models.asset import Asset, AssetCheck, JobInput, StagedOutput, Upload
from jobs.models.daily_totals import ModelDay
from jobs.models.downloads import DownloadDay
from jobs.models.job import Job
from jobs.models.prompt import Prompt
from jobs.models.switches import Switch
from jobs.models.usage import Loss, Usage

__all__ = [
    "Asset",
    "AssetCheck",
    "DownloadDay",
    "Job",
    "JobInput",
    "Loss",
    "ModelDay",
    "Prompt",
    "StagedOutput",
    "Switch",
    "Upload",
    "Usage",
]
