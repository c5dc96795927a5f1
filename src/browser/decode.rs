//! JSON as a type of ours. The browser parses it, and what it made is read property by property: a parser of our own would
//! be a fifth of what a phone has to load, and a reader that can say what is wrong a tenth. A page and its server are of
//! one build, so there is nobody to say it to.

use std::fmt;

use js_sys::{Array, JSON, Object, Reflect};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor, value::U32Deserializer,
};
use wasm_bindgen::{JsCast, JsValue};

/// The value of a JSON text, or nothing if it is of another shape.
pub(super) fn decoded<T: DeserializeOwned>(json: &str) -> Option<T> {
    T::deserialize(Read(JSON::parse(json).ok()?)).ok()
}

/// It is of another shape. Which, nobody asks: all that would say it would have to be loaded.
#[derive(Debug)]
struct OfAnotherShape;

type Result<T> = std::result::Result<T, OfAnotherShape>;

impl fmt::Display for OfAnotherShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("of another shape")
    }
}

impl std::error::Error for OfAnotherShape {}

impl Error for OfAnotherShape {
    fn custom<T: fmt::Display>(_: T) -> Self {
        OfAnotherShape
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        OfAnotherShape
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        OfAnotherShape
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        OfAnotherShape
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        OfAnotherShape
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        OfAnotherShape
    }

    fn missing_field(_: &'static str) -> Self {
        OfAnotherShape
    }

    fn duplicate_field(_: &'static str) -> Self {
        OfAnotherShape
    }
}

/// A value that is read.
struct Read(JsValue);

impl Read {
    fn is_nothing(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }
}

impl<'de> Deserializer<'de> for Read {
    type Error = OfAnotherShape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Some(text) = self.0.as_string() {
            visitor.visit_string(text)
        } else if let Some(number) = self.0.as_f64() {
            if number == number.trunc() && number.abs() < 9e15 {
                visitor.visit_i64(number as i64)
            } else {
                visitor.visit_f64(number)
            }
        } else if let Some(truth) = self.0.as_bool() {
            visitor.visit_bool(truth)
        } else if self.is_nothing() {
            visitor.visit_unit()
        } else if let Some(items) = self.0.dyn_ref::<Array>() {
            visitor.visit_seq(Items { items, next: 0 })
        } else {
            let members = Object::entries(self.0.unchecked_ref());
            visitor.visit_map(Members { members: &members, next: 0 })
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if !self.0.is_object() {
            return Err(OfAnotherShape);
        }
        visitor.visit_map(Fields { of: &self.0, fields, next: 0, value: JsValue::UNDEFINED })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let (name, value) = match self.0.as_string() {
            Some(name) => (name, JsValue::UNDEFINED),
            None if self.0.is_object() => {
                let member: Array = Object::entries(self.0.unchecked_ref()).get(0).unchecked_into();
                (member.get(0).as_string().ok_or(OfAnotherShape)?, member.get(1))
            }
            None => return Err(OfAnotherShape),
        };
        visitor.visit_enum(Variant { name, value: Read(value) })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

/// The items of a list.
struct Items<'a> {
    items: &'a Array,
    next: u32,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = OfAnotherShape;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.next == self.items.length() {
            return Ok(None);
        }
        self.next += 1;
        seed.deserialize(Read(self.items.get(self.next - 1))).map(Some)
    }
}

/// The members of an object, whatever they are called: a list of names and values.
struct Members<'a> {
    members: &'a Array,
    next: u32,
}

impl Members<'_> {
    fn part(&self, part: u32) -> Read {
        Read(self.members.get(self.next).unchecked_into::<Array>().get(part))
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = OfAnotherShape;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.next == self.members.length() {
            return Ok(None);
        }
        seed.deserialize(self.part(0)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let value = self.part(1);
        self.next += 1;
        seed.deserialize(value)
    }
}

/// The fields of a structure, told by their places in the list of their names. What is not there is left out.
struct Fields<'a> {
    of: &'a JsValue,
    fields: &'static [&'static str],
    next: usize,
    value: JsValue,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = OfAnotherShape;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        while let Some(name) = self.fields.get(self.next) {
            self.next += 1;
            self.value = Reflect::get(self.of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
            if !self.value.is_undefined() {
                let place: U32Deserializer<OfAnotherShape> = (self.next as u32 - 1).into_deserializer();
                return seed.deserialize(place).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(Read(std::mem::take(&mut self.value)))
    }
}

/// A variant: a name, or an object with one member of that name.
struct Variant {
    name: String,
    value: Read,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = OfAnotherShape;
    type Variant = Read;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Read)> {
        let name = seed.deserialize(self.name.into_deserializer())?;
        Ok((name, self.value))
    }
}

impl<'de> VariantAccess<'de> for Read {
    type Error = OfAnotherShape;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.deserialize_struct("", fields, visitor)
    }
}
