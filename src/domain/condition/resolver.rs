//! What the names in an expression stand for.

use std::collections::{BTreeSet, HashMap};

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use crate::domain::fact::FactValue;
use crate::domain::words::{Claim, Name};

use super::functions::{MOMENT, ZONE};
use super::{Circumstances, TextVariable};

/// Looks names up where an expression stands, and only those it uses.
pub struct Resolver<'c> {
    pub circumstances: &'c dyn Circumstances,
    pub facts: &'c BTreeSet<Name>,
}

impl VariableResolver for Resolver<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let about = self.circumstances;
        let text = |variable| Some(CowVal::owned(CelString::from(about.text(variable))));
        match variable {
            "delivery" => text(TextVariable::Delivery),
            "channel" => text(TextVariable::Channel),
            "purpose" => text(TextVariable::Purpose),
            "campaign" => text(TextVariable::Campaign),
            "category" => text(TextVariable::Category),
            "brand" => text(TextVariable::Brand),
            "addressee" => text(TextVariable::Addressee),
            "language" => text(TextVariable::Language),
            "automated" => Some(CowVal::owned(CelBool::from(about.automated()))),
            "consented" => Some(CowVal::owned(CelBool::from(about.consented()))),
            "claims" => Some(CowVal::owned(texts(about.claims().iter().map(Claim::name)))),
            "regions" => Some(CowVal::owned(texts(about.regions().iter().map(|region| &**region)))),
            ZONE => Some(CowVal::owned(CelString::from(about.zone().name()))),
            MOMENT => Some(CowVal::owned(CelInt::from(about.moment().millis()))),
            "facts" => {
                let known = self.facts.iter().filter_map(|name| Some((name, about.fact(name)?)));
                let map: HashMap<CelMapKey<'b>, Box<dyn Val + 'b>> =
                    known.map(|(name, value)| (CelMapKey::from(&**name), fact_value(value))).collect();
                Some(CowVal::owned(CelMap::from(map)))
            }
            _ => {
                let fact = about.fact(variable.strip_prefix("facts.")?)?;
                Some(CowVal::Owned(fact_value(fact)))
            }
        }
    }
}

fn texts<'b>(texts: impl Iterator<Item = &'b str>) -> CelList<'b> {
    let values: Vec<Box<dyn Val + 'b>> =
        texts.map(|text| Box::new(CelString::from(text)) as Box<dyn Val + 'b>).collect();
    CelList::from(values)
}

fn fact_value(value: &FactValue) -> Box<dyn Val + '_> {
    match value {
        FactValue::Bool(value) => Box::new(CelBool::from(*value)),
        FactValue::Whole(value) => Box::new(CelInt::from(*value)),
        FactValue::Number(value) => Box::new(CelDouble::from(*value)),
        FactValue::Text(value) => Box::new(CelString::from(&**value)),
        FactValue::List(values) => {
            Box::new(CelList::from(values.iter().map(fact_value).collect::<Vec<Box<dyn Val + '_>>>()))
        }
        FactValue::Object(members) => {
            let map: HashMap<CelMapKey<'_>, Box<dyn Val + '_>> =
                members.iter().map(|(name, value)| (CelMapKey::from(&**name), fact_value(value))).collect();
            Box::new(CelMap::from(map))
        }
    }
}
