//! Every container moves what is in it, and changes nothing else.

#![cfg(all(feature = "flex", feature = "ndarray"))]

use std::collections::{BTreeMap, HashMap};

use burn::tensor::{Bool, DType, Device, Int, Tensor};
use ch01_tensors::move_to::MoveTo;

/// Two devices that are in every default build.
fn here_and_there() -> (Device, Device) {
    let open = |name| common::device::open(name).unwrap().device;
    let (here, there) = (open("flex"), open("ndarray"));
    assert_ne!(here, there);
    (here, there)
}

fn pair(device: &Device) -> Tensor<1> {
    Tensor::from_data([1.5, -2.0], device)
}

#[track_caller]
fn assert_moved(tensor: &Tensor<1>, there: &Device) {
    assert_eq!(tensor.device(), *there);
    assert_eq!(tensor.to_data().try_to_vec::<f32>().unwrap(), [1.5, -2.0]);
}

#[test]
fn tensors_of_every_rank_and_kind() {
    let (here, there) = here_and_there();
    assert_moved(&pair(&here).move_to(&there), &there);

    let cube = Tensor::<3>::from_data([[[1.0, 2.0]], [[3.0, 4.0]]], &here).move_to(&there);
    assert_eq!((cube.device(), cube.dims()), (there.clone(), [2, 1, 2]));
    assert_eq!(
        cube.into_data().try_to_vec::<f32>().unwrap(),
        [1.0, 2.0, 3.0, 4.0]
    );

    let whole = Tensor::<2, Int>::from_data([[-1, 7]], &here).move_to(&there);
    assert_eq!(whole.device(), there);
    assert_eq!(whole.into_data().iter::<i64>().collect::<Vec<_>>(), [-1, 7]);

    let truth = Tensor::<1, Bool>::from_data([true, false, true], &here).move_to(&there);
    assert_eq!(truth.device(), there);
    assert_eq!(
        truth.into_data().iter::<bool>().collect::<Vec<_>>(),
        [true, false, true]
    );
}

#[test]
fn the_type_of_the_numbers_stays() {
    let (here, there) = here_and_there();
    let wide = Tensor::<1>::from_data([0.1_f64], (&here, DType::F64)).move_to(&there);
    assert_eq!((wide.device(), wide.dtype()), (there, DType::F64));
    assert_eq!(wide.into_data().try_to_vec::<f64>().unwrap(), [0.1]);
}

#[test]
fn lists() {
    let (here, there) = here_and_there();
    let list = vec![pair(&here), pair(&here), pair(&here)].move_to(&there);
    assert_eq!(list.len(), 3);
    list.iter().for_each(|tensor| assert_moved(tensor, &there));
    let array = [pair(&here), pair(&here)].move_to(&there);
    array.iter().for_each(|tensor| assert_moved(tensor, &there));
    assert!(Vec::<Tensor<1>>::new().move_to(&there).is_empty());
}

#[test]
fn options_and_boxes() {
    let (here, there) = here_and_there();
    assert_moved(&Some(pair(&here)).move_to(&there).unwrap(), &there);
    assert!(None::<Tensor<1>>.move_to(&there).is_none());
    assert_moved(&Box::new(pair(&here)).move_to(&there), &there);
}

#[test]
fn maps_keep_their_keys() {
    let (here, there) = here_and_there();
    let of_two = || [("a", pair(&here)), ("b", pair(&here))];
    let hashed = HashMap::from(of_two()).move_to(&there);
    let sorted = BTreeMap::from(of_two()).move_to(&there);
    assert_eq!((hashed.len(), sorted.len()), (2, 2));
    for key in ["a", "b"] {
        assert_moved(&hashed[key], &there);
        assert_moved(&sorted[key], &there);
    }
}

#[test]
fn tuples_up_to_six() {
    let (here, there) = here_and_there();
    let t = || pair(&here);
    assert_moved(&(t(),).move_to(&there).0, &there);
    let two = (t(), t()).move_to(&there);
    let three = (t(), t(), t()).move_to(&there);
    let four = (t(), t(), t(), t()).move_to(&there);
    let five = (t(), t(), t(), t(), t()).move_to(&there);
    let six = (t(), t(), t(), t(), t(), t()).move_to(&there);
    let all = [
        two.0, two.1, three.0, three.1, three.2, four.0, four.1, four.2, four.3, five.0, five.1,
        five.2, five.3, five.4, six.0, six.1, six.2, six.3, six.4, six.5,
    ];
    all.iter().for_each(|tensor| assert_moved(tensor, &there));
}

#[test]
fn containers_in_containers_and_what_is_on_no_device() {
    let (here, there) = here_and_there();
    let batch = (
        HashMap::from([(
            "sequences".to_string(),
            vec![Some((pair(&here), 7_u8)), None],
        )]),
        "a note".to_string(),
        [BTreeMap::from([(3, Box::new(pair(&here)))])],
    );
    let (map, note, [tree]) = batch.move_to(&there);
    let list = &map["sequences"];
    let (tensor, label) = list[0].as_ref().unwrap();
    assert_moved(tensor, &there);
    assert!(*label == 7 && list[1].is_none() && note == "a note");
    assert_moved(&tree[&3], &there);
}

#[test]
fn a_move_to_where_it_is_changes_nothing() {
    let (here, _) = here_and_there();
    assert_moved(&pair(&here).move_to(&here), &here);
}

#[test]
fn gradients_flow_back_through_a_move() {
    let (here, there) = here_and_there();
    let x = Tensor::<1>::from_data([3.0], &here.clone().autodiff()).require_grad();
    let gradients = x.clone().move_to(&there).square().backward();
    let gradient = x.grad(&gradients).unwrap();
    assert_eq!(gradient.device(), here);
    assert_eq!(gradient.into_scalar::<f32>(), 6.0);
}
