//! JSON as a type of ours. The browser parses it, and what it made is read member by member (`domain::read`): a parser of
//! our own would be a fifth of what a phone has to load.

use domain::read::{Parsed, Read};
use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The value of a JSON text, or nothing if it is of another shape.
pub(super) fn decoded<T: Read>(json: &str) -> Option<T> {
    read(JSON::parse(json).ok()?)
}

/// The value that the browser has parsed, or nothing if it is of another shape.
pub(super) fn read<T: Read>(json: JsValue) -> Option<T> {
    T::read(&Json(json))
}

/// A value that the browser has parsed.
struct Json(JsValue);

impl Parsed for Json {
    fn is_nothing(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn truth(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn items(&self) -> Option<Vec<Self>> {
        let items = self.0.dyn_ref::<Array>()?;
        Some((0..items.length()).map(|place| Json(items.get(place))).collect())
    }

    fn members(&self) -> Vec<(String, Self)> {
        let Some(object) = self.0.dyn_ref::<Object>() else { return Vec::new() };
        let pairs = Json(Object::entries(object).into()).items().unwrap_or_default();
        let pair = |Json(pair): Json| {
            let pair: Array = pair.unchecked_into();
            Some((pair.get(0).as_string()?, Json(pair.get(1))))
        };
        pairs.into_iter().filter_map(pair).collect()
    }

    fn member(&self, name: &str) -> Self {
        // Only of what is no object the browser refuses to name a member.
        Json(Reflect::get(&self.0, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED))
    }
}
