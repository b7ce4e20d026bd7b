//! A policy file.

use contact_governor::policy::compile::{MOST_RULES, compile};
use contact_governor::policy::sentences;

/// Either a policy, the same each time, every rule of which can be said; or mistakes, each at a place in the file.
pub fn policy_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match compile("policy.toml", &text) {
        Ok(policy) => {
            assert!(policy.rules.len() <= MOST_RULES, "{} rules", policy.rules.len());
            let again = compile("policy.toml", &text).expect("what was sound is sound");
            assert_eq!(again.mark.hash, policy.mark.hash, "the same text has the same hash");
            assert_eq!(sentences::policy(&again), sentences::policy(&policy));
            for rule in &policy.rules {
                assert!(!sentences::rule(rule).is_empty());
            }
        }
        Err(mistakes) => {
            assert!(!mistakes.list.is_empty(), "refused without a reason");
            let lines = text.matches('\n').count() + 1;
            for mistake in &mistakes.list {
                assert!((1..=lines).contains(&mistake.line), "{mistake:?} is not in the file");
                assert!(mistake.column > 0 && !mistake.message.is_empty(), "{mistake:?}");
            }
        }
    }
}
