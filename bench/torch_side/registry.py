"""The twins by name, in the order of the table."""

from . import attention, cnn, fc, recurrent, residual, seq2seq, text, unet, wgan

TWINS = {
    "mlp-2.9": fc.Moons(),
    "cnn-3.5": cnn.Pooled(),
    "mlp-5.1": fc.FashionMlp(),
    "cnn-bn-6.4": cnn.Normed(),
    "residual-6.9": residual.Residual(),
    "lstm-6.10": recurrent.Names(),
    "autoencoder-7.4": fc.Autoencoder(),
    "char-gru-7.7": recurrent.Shakespeare(),
    "unet-8.3": unet.Nuclei(),
    "wgan-9.5": wgan.Wgan(),
    "attention-10.5": attention.Bags(),
    "seq2seq-11.1": seq2seq.Translation(),
    "gru-12.1": text.NewsGru(),
    "average-12.2": text.NewsAverage(),
    "transformer-12.7": text.NewsTransformer(),
    "resnet18-13.1": residual.ResNet18(),
    "rezero-14.6": residual.ReZero(),
}
