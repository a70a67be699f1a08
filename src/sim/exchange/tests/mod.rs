mod accounts;
mod bars;
mod linked;
mod reference;
mod resting;
mod scenes;
mod taking;
