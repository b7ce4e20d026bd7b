use crate::harness::Governor;

#[test]
fn a_healthy_governor_is_live_and_ready() {
    let governor = Governor::start();
    assert_eq!(governor.caller.get("/livez").body["live"], true);
    assert_eq!(governor.caller.get("/readyz").body["ready"], true);
}

#[test]
fn what_is_not_there_is_a_problem_too() {
    let governor = Governor::start();
    let missing = governor.caller.get("/v2/anything");
    assert_eq!((missing.status, missing.content_type.as_str()), (404, "application/problem+json"));
    let wrong = governor.caller.get("/v1/preflight");
    assert_eq!((wrong.status, wrong.content_type.as_str()), (405, "application/problem+json"));
}
