"""Check the references of a request: roles, indexes, tasks, counts, and the images themselves."""

from collections import Counter
from collections.abc import Iterator

from imageskill.lib.errors import Detail, InvalidArguments
from jobs.planning import inputs
from jobs.planning.request import Images, Reference
from jobs.registry.entry import Model, ReferenceRule

References = tuple[Reference, ...]


def check(model: Model, references: References, images: Images) -> None:
    """Check a request's references against its model.

    Raises `InvalidArguments` for roles, indexes, tasks and counts, `InputPolicyDenied` for an
    image that can't be a reference.
    """
    if not references:
        return
    if model.references is None:
        raise _invalid([Detail(field="references", message=f"are not accepted by {model.id}")])
    details = [*_invalid_fields(model.references, references), *_invalid_numbers(model, references)]
    if details:
        raise _invalid(details)
    for position, reference in enumerate(references):
        inputs.check_image(
            images[reference.asset_id],
            rule=inputs.REFERENCE_RULE,
            field=f"references.{position}.asset_id",
        )


def _invalid_fields(rule: ReferenceRule, references: References) -> Iterator[Detail]:
    for position, reference in enumerate(references):
        for name, message in _invalid_fields_in(rule, reference):
            yield Detail(field=f"references.{position}.{name}", message=message)


def _invalid_fields_in(rule: ReferenceRule, reference: Reference) -> Iterator[tuple[str, str]]:
    if reference.role not in rule.roles:
        yield "role", f"must be {' or '.join(rule.roles)}"
        return
    if not 0 <= reference.index < rule.max_indexes:
        yield "index", f"must be from 0 to {rule.max_indexes - 1}"
    if reference.role == "element_reference":
        if reference.reference_index not in range(rule.max_per_index):
            yield "reference_index", f"must be from 0 to {rule.max_per_index - 1}"
    elif reference.reference_index is not None:
        yield "reference_index", f"is not accepted with the role {reference.role}"
    if reference.reference_task is not None and reference.reference_task not in rule.tasks:
        known = (
            f"must be {' or '.join(rule.tasks)}" if rule.tasks else "is not accepted by this model"
        )
        yield "reference_task", known


def _invalid_numbers(model: Model, references: References) -> Iterator[Detail]:
    rule = model.references
    assert rule is not None
    if len(references) > rule.entry_limit:
        yield _references_detail(f"{model.id} accepts at most {rule.entry_limit} in total")
    indexes = {reference.index for reference in references}
    if indexes != set(range(len(indexes))):
        yield _references_detail("indexes must be contiguous from 0")
    places = Counter((part.role, part.index, part.reference_index) for part in references)
    if max(places.values()) > 1:
        yield _references_detail("two references have the same role and index")
    if rule.kind == "elements":
        frontals = {part.index for part in references if part.role == "element_frontal"}
        if indexes - frontals:
            yield _references_detail("each element needs one element_frontal at its index")
        for index in indexes:
            beside = {
                part.reference_index
                for part in references
                if part.role == "element_reference" and part.index == index
            }
            if beside != set(range(len(beside))):
                yield _references_detail(
                    "reference_index must be contiguous from 0 within an element"
                )
                return


def _references_detail(message: str) -> Detail:
    return Detail(field="references", message=message)


def _invalid(details: list[Detail]) -> InvalidArguments:
    return InvalidArguments("This model does not accept these references.", details=details)
