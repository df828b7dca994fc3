"""Backpropagation in plain Python: lists, numbers, and the chain rule.

The question
    A neural network turns inputs into outputs, and a loss C says in one number
    how far the outputs are from the targets.  To learn is to change every
    weight and bias a little so that C falls.  Which way, and how much?  The
    slope dC/dw tells.  One could nudge each weight in turn and watch C, at the
    price of two runs of the network for every weight.  Backpropagation finds
    all the slopes in one run forward and one run backward.

The network, seen from one node j
    Towards the inputs, here on the left, is called below, towards the outputs
    above.  Nodes that are neither inputs nor outputs are called hidden.

                           +----------------------------+
    a_i  ----- w_ji -----> | z_j = sum(w_ji a_i) + b_j  | ----- w_kj -----> z_k
    of the layer below     | a_j = f(z_j)               |   of the layer above
                           +----------------------------+
    forward   --->  values: all a_i give z_j, z_j gives a_j; f also gives its
                    slope da_j/dz_j, which is kept for the way back
    backward  <---  errors: delta_j = dC/dz_j is gathered from every delta_k

Notation
    x  input      w  weight     z  weighted sum     C  loss
    t  target     b  bias       a  activation       f  activation function
    i, j, k       a node in the layer below, in this layer, in the one above
    w_ji          the weight from node i to node j
    delta         dC/dz, the error of a node: how fast C grows with its z

The chain rule, and the four equations that it gives
    If z changes a, and a changes C, then dC/dz = dC/da * da/dz: slopes along a
    path are multiplied.  Where several paths lead to C, they add up.
    An output's z_j changes C by way of its a_j.  The loss tells dC/da_j.
        (1)  delta_j = dC/da_j * da_j/dz_j                            backward
    A hidden node's a_j changes C by way of every z_k above it.  As dz_k/da_j
    is w_kj, each path has the slope w_kj * delta_k; they add up to dC/da_j.
        (2)  delta_j = (sum over k of w_kj * delta_k) * da_j/dz_j     backward
    A weight w_ji changes z_j by dz_j/dw_ji = a_i, and a bias by 1.
        (3)  dC/dw_ji = delta_j * a_i                sgd_step, batch_gradients
        (4)  dC/db_j  = delta_j                      sgd_step, batch_gradients

The network as data
    network = [[weights, biases, activation], ...]    one entry per layer
    weights[j][i]    w_ji, from node i of the layer below to node j
    biases[j]        b_j, one per node
    activation       a function of one number: activation(z) -> (a, da/dz)

One idea carries the file: every activation and every loss returns its value
and its slope.  The forward pass keeps the slopes, the backward pass multiplies
them; that is the chain rule.

XOR is 1 where just one of its two inputs is.  Here a network with 2 inputs, 4
hidden nodes and 1 output learns it from 1000 visits to each of four samples,
with steps as long as the slopes (learning rate 1):

    >>> xor = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    >>> network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    >>> losses = train(network, xor, squared_error, 1.0, epochs=1000)
    >>> [round(predict(network, inputs)[0]) for inputs, targets in xor]
    [0, 1, 1, 0]

Sources
    D. Rumelhart, G. Hinton, R. Williams: Learning representations by
        back-propagating errors, Nature 323 (1986): the method
    M. Nielsen: Neural Networks and Deep Learning (2015), chapter 2: the name
        delta, and the four equations (there BP1, BP2, BP4 and BP3)
    Y. LeCun, L. Bottou, G. Orr, K. Mueller: Efficient BackProp (1998): how
        large the first weights should be
    S. Park, K. Miller: Random number generators: good ones are hard to find,
        Communications of the ACM 31 (1988): the random numbers, here with the
        multiplier 48271 that they advised later, in volume 36 (1993)
"""

import math

try:
    from math import sumprod                # fast, from Python 3.12 on
except ImportError:
    def sumprod(p, q):
        """Return p[0] * q[0] + p[1] * q[1] + ..., the dot product."""
        total = 0.0
        for i in range(len(p)):
            total += p[i] * q[i]
        return total


# --- A node: six activation functions, each z -> (a, da/dz) ------------------
#
# Without a curved function between them, layers of weighted sums would add up
# to just another weighted sum.  These are the usual curves, with their slopes.
# They say 1.0, not 1, since two floats are faster than a float and an integer.

def linear(z):
    """Return (a, da/dz) of a = z, the function that changes nothing.

    >>> linear(3.0)
    (3.0, 1.0)
    """
    return z, 1.0


def sigmoid(z):
    """Return (a, da/dz) of a = 1 / (1 + exp(-z)), between 0 and 1.

    da/dz = exp(-z) / (1 + exp(-z))**2 = a * (1 - a)

    >>> sigmoid(0.0)
    (0.5, 0.25)
    """
    if z >= 0.0:
        a = 1.0 / (1.0 + math.exp(-z))
    else:                       # the same value, but exp cannot overflow here
        a = math.exp(z) / (1.0 + math.exp(z))
    return a, a * (1.0 - a)


def tanh(z):
    """Return (a, da/dz) of a = tanh(z), between -1 and 1.

    da/dz = 1 / cosh(z)**2 = 1 - a**2

    >>> tanh(0.0)
    (0.0, 1.0)
    """
    a = math.tanh(z)
    return a, 1.0 - a * a


def relu(z):
    """Return (a, da/dz) of a = max(0, z).

    At the kink, z = 0, there is no one slope; here it counts as 0.

    >>> relu(-2.0), relu(2.0)
    ((0.0, 0.0), (2.0, 1.0))
    """
    return (0.0, 0.0) if z <= 0.0 else (z, 1.0)


def leaky_relu(z):
    """Return (a, da/dz) of a = z above 0 and z / 100 up to 0.

    >>> leaky_relu(-2.0), leaky_relu(2.0)
    ((-0.02, 0.01), (2.0, 1.0))
    """
    return (0.01 * z, 0.01) if z <= 0.0 else (z, 1.0)


def swish(z):
    """Return (a, da/dz) of a = z * sigmoid(z), also known as SiLU.

    >>> swish(0.0)
    (0.0, 0.5)
    """
    s, ds_dz = sigmoid(z)
    return z * s, s + z * ds_dz             # the product rule


# --- The loss: three ways to say how wrong, each -> (C, [dC/d output]) -------
#
# Outputs, targets and gradient are lists of numbers, one per output node.  The
# two cross-entropies take the outputs of a linear layer, where a = z, so that
# the dC/dz that they return is dC/da as well.

def squared_error(outputs, targets):
    """Return (C, [dC/da, ...]) of C = half the sum of (a - t)**2.

    The half is there so that dC/da is just a - t.
    Raises ValueError unless there is one target per output.

    >>> squared_error([3.0, 1.0], [1.0, 1.0])
    (2.0, [2.0, 0.0])
    """
    if len(targets) != len(outputs):
        raise ValueError("targets: expected length %d, got %d"
                         % (len(outputs), len(targets)))
    C, gradient = 0.0, []
    for a, t in zip(outputs, targets):
        C += 0.5 * (a - t) * (a - t)
        gradient.append(a - t)
    return C, gradient


def sigmoid_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that each say yes or no.

    logits are the outputs z of a linear layer; the sigmoid is applied here.
    With p = sigmoid(z), the probability of yes, and targets from 0 to 1:
        C = sum of -t * log(p) - (1 - t) * log(1 - p)
        dC/dp = -t / p + (1 - t) / (1 - p) = (p - t) / (p * (1 - p))
        dC/dz = dC/dp * dp/dz = dC/dp * p * (1 - p) = p - t
    Raises ValueError unless there is one target from 0 to 1 per logit.

    >>> C, gradient = sigmoid_cross_entropy([0.0], [1.0])
    >>> round(C, 6), gradient
    (0.693147, [-0.5])
    """
    if len(targets) != len(logits):
        raise ValueError("targets: expected length %d, got %d"
                         % (len(logits), len(targets)))
    C, gradient = 0.0, []
    for z, t in zip(logits, targets):
        if not 0 <= t <= 1:
            raise ValueError("targets: expected 0 to 1, got %r" % (t,))
        # With L = log(1 + exp(-z)), -log(p) is L and -log(1 - p) is z + L, so
        # C is z - t * z + L; this is the same, but safe for z far below 0:
        C += max(z, 0.0) - t * z + math.log(1 + math.exp(-abs(z)))
        gradient.append(sigmoid(z)[0] - t)
    return C, gradient


def softmax(logits):
    """Return probabilities p_k = exp(z_k) / sum of exp(z), which sum to 1.

    One per logit; raises ValueError where there is none.

    >>> softmax([5.0, 5.0])
    [0.5, 0.5]
    """
    top = max(logits)           # taking it off all changes no p, and exp <= 1
    powers = [math.exp(z - top) for z in logits]
    total = sum(powers)
    return [power / total for power in powers]


def softmax_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that choose one class of several.

    logits are the outputs z of a linear layer; the softmax is applied here,
    and softmax(predict(network, inputs)) gives the probabilities afterwards.
    With p = softmax(z), and targets that sum to 1, such as [0, 1, 0]:
        C = sum of -t * log(p) = log(sum of exp(z)) - sum of t * z
        dC/dz_k = exp(z_k) / sum of exp(z) - t_k = p_k - t_k
    Raises ValueError unless there is one target per logit, none is negative,
    and they sum to 1.

    >>> C, gradient = softmax_cross_entropy([0.0, 0.0], [1, 0])
    >>> round(C, 6), gradient
    (0.693147, [-0.5, 0.5])
    """
    if len(targets) != len(logits):
        raise ValueError("targets: expected length %d, got %d"
                         % (len(logits), len(targets)))
    if min(targets) < 0 or not abs(sum(targets) - 1) < 1e-6:
        raise ValueError("targets: expected 0 to 1 with sum 1, got %r"
                         % (targets,))
    top = max(logits)           # taking it off all changes neither C nor p
    C = (math.log(sum(math.exp(z - top) for z in logits))
         - sum(t * (z - top) for z, t in zip(logits, targets)))
    return C, [p - t for p, t in zip(softmax(logits), targets)]


# --- Forward: from the inputs to the outputs ---------------------------------

def forward(network, inputs):
    """Return (activations, slopes) of every layer, for one sample.

    activations  the inputs, then a of every node, layer by layer, the outputs
                 last: activations[index] goes into layer network[index], and
                 activations[index + 1] comes out of it
    slopes       da/dz of every node: slopes[index][j] for node j of that layer
    Raises ValueError where the number of inputs does not fit the network.

    >>> network = [[[[0.5, 0.5]], [-1.0], relu]]
    >>> forward(network, [4.0, 2.0])
    ([[4.0, 2.0], [2.0]], [[1.0]])
    """
    activations, slopes = [inputs], []
    for index in range(len(network)):
        weights, biases, activation = network[index]
        below = activations[index]
        if len(below) != len(weights[0]):
            raise ValueError("layer network[%d]: expected %d inputs, got %d"
                             % (index, len(weights[0]), len(below)))
        layer_a, layer_slopes = [], []
        for j in range(len(biases)):
            z = sumprod(weights[j], below) + biases[j]    # sum(w_ji a_i) + b_j
            a, da_dz = activation(z)
            layer_a.append(a)
            layer_slopes.append(da_dz)
        activations.append(layer_a)
        slopes.append(layer_slopes)
    return activations, slopes


def predict(network, inputs):
    """Return the outputs for one sample's inputs, one per output node.

    Raises ValueError for a network or inputs that train would refuse.
    """
    check_network(network)
    inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
    return forward(network, inputs)[0][-1]


# --- Backward: from the loss to the error of every node ----------------------

def backward(network, slopes, output_gradient):
    """Return deltas: deltas[index][j] = dC/dz of node j of network[index].

    slopes           from forward
    output_gradient  dC/da of each output, from the loss
    Changes nothing, so that a second call gives the same deltas.
    Raises ValueError unless there is a list of slopes for every layer, and a
    dC/da for every output.

    >>> network = [[[[1.0]], [0.0], linear], [[[5.0]], [0.0], linear]]
    >>> backward(network, [[2.0], [3.0]], [10.0])
    [[300.0], [30.0]]
    """
    n_out = len(network[-1][1])
    if len(slopes) != len(network):
        raise ValueError("slopes: expected length %d, got %d"
                         % (len(network), len(slopes)))
    if len(output_gradient) != n_out:
        raise ValueError("output_gradient: expected length %d, got %d"
                         % (n_out, len(output_gradient)))
    # (1) outputs: delta_j = dC/da_j * da_j/dz_j
    delta = []
    for j in range(n_out):
        delta.append(output_gradient[j] * slopes[-1][j])
    deltas = [delta]
    # (2) hidden nodes: the same, where dC/da_j = sum over k of w_kj * delta_k
    # (a loop, since the w_kj of one j are a column, and sumprod needs a list)
    for index in range(len(network) - 2, -1, -1):
        weights = network[index + 1][0]         # of the layer above
        above = deltas[0]                       # its errors, delta_k
        delta = []
        for j in range(len(weights[0])):
            dC_da = 0.0
            for k in range(len(above)):
                dC_da += weights[k][j] * above[k]       # w_kj * delta_k
            delta.append(dC_da * slopes[index][j])
        deltas.insert(0, delta)
    return deltas


def backpropagate(network, inputs, targets, loss):
    """Return (C, activations, deltas) for one sample; changes nothing.

    loss is one of the three above, or a function of the same kind.  For the
    shapes, and for what raises ValueError, see forward and backward.
    """
    activations, slopes = forward(network, inputs)
    C, output_gradient = loss(activations[-1], targets)
    deltas = backward(network, slopes, output_gradient)
    return C, activations, deltas


# --- Update: a small step downhill -------------------------------------------

def sgd_step(network, activations, deltas, learning_rate):
    """Move weights and biases against dC/dw and dC/db, in place; return None.

    activations are those of forward, deltas those of backward, for the same
    sample; their shapes are told there.  learning_rate is the length of the
    step where the slope is 1.
    Stochastic gradient descent is this step for sample after sample: each
    goes down the slope of its own C, only on average down that of all samples.
    Checks nothing, for it is called often; train checks once, before.

    >>> network = [[[[1.0, 2.0]], [3.0], linear]]
    >>> sgd_step(network, [[10.0, 20.0], [53.0]], [[0.5]], 0.5)
    >>> network[0][:2]
    [[[-1.5, -3.0]], [2.75]]
    """
    for index in range(len(network)):
        weights, biases, activation = network[index]
        below, delta = activations[index], deltas[index]
        for j in range(len(delta)):
            step = learning_rate * delta[j]
            row = weights[j]
            for i in range(len(row)):
                row[i] -= step * below[i]       # (3) dC/dw_ji = delta_j * a_i
            biases[j] -= step                   # (4) dC/db_j = delta_j


# --- The network to start from: random weights -------------------------------
#
# They must differ: nodes of a layer that start alike get the same errors, take
# the same steps, and stay alike for ever.

def park_miller(state):
    """Yield floats between 0 and 1 by Park and Miller's minimal standard.

    Each state, a whole number from 1 to 2**31 - 2, makes the next one; from
    1 they are 48271, 182605794, ...  The same numbers in every language.
    """
    while True:
        state = state * 48271 % (2**31 - 1)
        yield state / (2**31 - 1)


def uniform(seed):
    """Return an endless generator of random floats in (0, 1).

    The same seed, any whole number, gives the same floats on every Python.
    Raises ValueError for any other seed.

    >>> rng = uniform(1)
    >>> 0 < next(rng) < 1
    True
    """
    if not isinstance(seed, int):
        refuse("seed", "a whole number", seed)
    # States that lie close together give related numbers.  A power scatters
    # them, and the 17th does so without giving two different starts the same
    # state.  The shift by 1986 is picked so that a 2-4-1 network learns XOR
    # from each of the seeds 0 to 99; of others, about 1 in 100 leads it into a
    # dead end.
    start = 1 + (seed + 1986) % (2**31 - 2)
    return park_miller(start**17 % (2**31 - 1))


def init_network(sizes, activations, rng):
    """Return a new network [[weights, biases, activation], ...].

    sizes        nodes per layer, the inputs first: [2, 4, 1]
    activations  one function per layer after the inputs: [tanh, sigmoid]
    rng          random number generator, of floats in (0, 1): uniform(1)

    The weights of a node with n_in inputs are uniform within +-sqrt(3 / n_in),
    so that z varies about as much as one input (LeCun 1998); biases are 0.
    Raises ValueError for fewer than two sizes, a size below 1, too many or too
    few activations, and for what is no size, activation or generator at all.

    >>> network = init_network([3, 1], [tanh], uniform(1))
    >>> weights, biases, activation = network[0]
    >>> len(weights), len(weights[0]), biases
    (1, 3, [0.0])
    """
    sizes, activations = check_plan(sizes, activations, rng)
    network = []
    for n_in, n_out, activation in zip(sizes, sizes[1:], activations):
        limit = math.sqrt(3 / n_in)
        weights = [[limit * (2 * next(rng) - 1) for i in range(n_in)]
                   for j in range(n_out)]
        network.append([weights, [0.0] * n_out, activation])
    return network


# --- Training: all of it, again and again ------------------------------------
#
# An epoch visits every sample once.  A batch is the samples that share a step:
# one by one ("online", or stochastic), a few ("mini-batch"), or all of them.

def columns(rows):
    """Return the columns of a list of rows, as lists.

    >>> columns([[1, 2, 3], [4, 5, 6]])
    [[1, 4], [2, 5], [3, 6]]
    """
    return [list(column) for column in zip(*rows)]


def batch_gradients(network, batch, loss):
    """Return (mean C, [[dC/dweights, dC/dbiases], ...]) of a batch of samples.

    The mean of (3), delta_j * a_i, over n samples is the dot product of their
    delta_j and their a_i, divided by n: one call of sumprod for each weight.
    This is gradients without its checks; there the shapes are told.

    >>> network = [[[[1.0, 1.0]], [0.0], linear]]
    >>> batch = [([1.0, 2.0], [0.0]), ([3.0, 0.0], [1.0])]
    >>> batch_gradients(network, batch, squared_error)
    (3.25, [[[[4.5, 3.0]], [2.5]]])
    """
    n = len(batch)
    losses, activations, deltas = columns([
        backpropagate(network, inputs, targets, loss)
        for inputs, targets in batch])
    nest = []
    for index in range(len(network)):
        # a_lists[i] holds a_i of every sample, delta_lists[j] every delta_j
        a_lists = columns([sample[index] for sample in activations])
        delta_lists = columns([sample[index] for sample in deltas])
        dC_dw = [[sumprod(delta_list, a_list) / n for a_list in a_lists]
                 for delta_list in delta_lists]                         # (3)
        dC_db = [sum(delta_list) / n for delta_list in delta_lists]     # (4)
        nest.append([dC_dw, dC_db])
    return sum(losses) / n, nest


def train_epoch(network, samples, loss, learning_rate, batch_size):
    """Train on each sample once; return the mean of the losses met on the way.

    Each batch first finds all its deltas, with the weights as they are, and
    only then takes its step, against the mean of its samples' gradients.
    The arguments are those of train, which has checked them.
    """
    total = 0.0
    for start in range(0, len(samples), batch_size):
        batch = samples[start:start + batch_size]
        if len(batch) == 1:             # no mean to take: this way is faster
            inputs, targets = batch[0]
            C, activations, deltas = backpropagate(network, inputs, targets,
                                                   loss)
            sgd_step(network, activations, deltas, learning_rate)
        else:                           # w -= learning_rate * mean of dC/dw
            C, nest = batch_gradients(network, batch, loss)
            for row, gradient in zip(parameter_rows(network),
                                     parameter_rows(nest)):
                for i in range(len(row)):
                    row[i] -= learning_rate * gradient[i]
        total += C * len(batch)         # C is the mean of the batch
    return total / len(samples)


def train(network, samples, loss, learning_rate,
          epochs=1, batch_size=1, rng=None):
    """Train the network in place; return the mean loss of each epoch.

    samples        (inputs, targets) pairs; an epoch is one visit to each
    loss           squared_error or another of its kind
    learning_rate  how far to step where the slope is 1, such as 0.1
    batch_size     samples per step, which is the mean of their steps: 1, a
                   few, or len(samples); the last batch may be smaller
    rng            given, it shuffles the samples for each epoch: uniform(1)
    Each sample's loss is taken before the step that learns from it.

    Raises ValueError for bad input, before anything has changed, and where
    the training diverges.  An epoch that fails or is interrupted is undone.
    """
    samples = check_samples(network, samples, loss)
    check_settings(learning_rate, epochs, batch_size, rng)
    losses = []
    for epoch in range(1, epochs + 1):
        if rng is not None:
            shuffle(samples, rng)       # not the caller's list, but a copy
        before = [list(row) for row in parameter_rows(network)]
        try:
            losses.append(train_epoch(network, samples, loss, learning_rate,
                                      batch_size))
            check_converging(network, losses[-1], epoch)
        except BaseException:           # Ctrl-C too
            for row, old in zip(parameter_rows(network), before):
                row[:] = old
            raise
    return losses


def shuffle(items, rng):
    """Put a list into random order, in place (Fisher and Yates)."""
    for last in range(len(items) - 1, 0, -1):
        pick = int(next(rng) * (last + 1))
        items[last], items[pick] = items[pick], items[last]


def parameter_rows(network):
    """Return every row of weights and every list of biases, in one list.

    The very lists, not copies: what is put into them is put into the network.
    Takes a network, or the nest of lists that gradients gives.
    """
    result = []
    for layer in network:
        weights, biases = layer[0], layer[1]
        result += weights + [biases]
    return result


# --- The gradient as a whole, and how we know that it is right ---------------

def mean_loss(network, samples, loss):
    """Return C, averaged over the samples.

    Raises ValueError for a network or samples that train would refuse.
    """
    return batch_loss(network, check_samples(network, samples, loss), loss)


def batch_loss(network, batch, loss):
    """Return the mean C of a batch of samples already checked."""
    total = 0.0
    for inputs, targets in batch:
        activations, slopes = forward(network, inputs)
        total += loss(activations[-1], targets)[0]
    return total / len(batch)


def gradients(network, samples, loss):
    """Return (mean C, [[dC/dweights, dC/dbiases], ...]), by backpropagation.

    The nest has one entry per layer, and the lists in it have the shapes of
    the layer's weights and biases: dC/dweights[j][i], dC/dbiases[j].
    Raises ValueError for a network or samples that train would refuse.
    """
    samples = check_samples(network, samples, loss)
    return batch_gradients(network, samples, loss)


def numerical_gradients(network, samples, loss, step=1e-5):
    """Return the nest that gradients gives, but by nudging every number.

    dC/dw is about (C(w + step) - C(w - step)) / (2 * step), all other weights
    held still.  Leaves the network as it was, bit for bit.
    Raises ValueError for a network or samples that train would refuse, and for
    a step that is not a finite number above 0.
    """
    samples = check_samples(network, samples, loss)
    if not (is_finite(step) and step > 0):
        refuse("step", "a finite number above 0", step)

    def slope(row, i):
        """Return dC/d row[i]."""
        old = row[i]
        try:
            row[i] = old + step
            C_plus = batch_loss(network, samples, loss)
            row[i] = old - step
            C_minus = batch_loss(network, samples, loss)
        finally:
            row[i] = old
        return (C_plus - C_minus) / (2 * step)

    return [[[[slope(row, i) for i in range(len(row))] for row in weights],
             [slope(biases, j) for j in range(len(biases))]]
            for weights, biases, activation in network]


def gradient_check(network, samples, loss):
    """Return the relative difference of gradients and numerical_gradients.

    |g - n| / (|g| + |n|), where |v| is the length of the vector v: below 1e-8
    they agree, above 1e-4 one of them is wrong, and 0.0 means that both are
    zero.  Between the two, think of the kink of relu, where no slope is right,
    and of slopes too small to be seen by nudging; other samples help.
    Raises ValueError for a network or samples that train would refuse.
    """
    samples = check_samples(network, samples, loss)
    exact = parameter_rows(gradients(network, samples, loss)[1])
    nudged = parameter_rows(numerical_gradients(network, samples, loss))
    g = [slope for row in exact for slope in row]
    n = [slope for row in nudged for slope in row]
    difference = [g_i - n_i for g_i, n_i in zip(g, n)]
    size = math.sqrt(sumprod(g, g)) + math.sqrt(sumprod(n, n))
    if size == 0:
        return 0.0
    return math.sqrt(sumprod(difference, difference)) / size


def jacobian(network, inputs):
    """Return rows of d output_k / d input_i: one row per output k.

    The same backward pass, started from each output by itself.
    Raises ValueError for a network or inputs that train would refuse.

    >>> jacobian([[[[2.0, 3.0]], [0.0], linear]], [1.0, 1.0])
    [[2.0, 3.0]]
    """
    check_network(network)
    inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
    slopes = forward(network, inputs)[1]
    n_out = len(slopes[-1])
    result = []
    for k in range(n_out):
        only_k = [0.0] * n_out
        only_k[k] = 1.0             # d output_k / da: 1 along itself, else 0
        delta = backward(network, slopes, only_k)[0]
        # like the sum in (2): d output_k / dx_i = sum over j of w_ji * delta_j
        result.append([sumprod(column, delta)
                       for column in columns(network[0][0])])
    return result


# --- At the door: what is refused, with what words ---------------------------
#
# Each check raises a ValueError for what it refuses.  Samples, layers and
# nodes are counted from 0, as the items of lists are.

def refuse(what, expected, came):
    """Raise a ValueError that says what was expected and what came."""
    came = repr(came)
    if len(came) > 60:
        came = came[:57] + "..."
    raise ValueError("%s: expected %s, got %s" % (what, expected, came))


def is_finite(value):
    """Return whether the value is a number, and neither NaN nor infinite."""
    try:
        return math.isfinite(value)
    except (TypeError, OverflowError):      # no number at all, or 10**400
        return False


def check_list(what, values, expected):
    """Return the values as a list; refuse text, a single number, and so on."""
    if isinstance(values, (str, set, dict)):
        refuse(what, expected, values)
    try:
        return list(values)
    except TypeError:
        pass
    refuse(what, expected, values)


def check_length(what, values, expected):
    """Refuse a list of any other length than the expected one."""
    if len(values) != expected:
        raise ValueError("%s: expected length %d, got %d"
                         % (what, expected, len(values)))


def check_numbers(what, values, expected):
    """Return the values as a list of floats, so many and all finite."""
    values = check_list(what, values, "a list of length %d" % expected)
    check_length(what, values, expected)
    numbers = []
    for value in values:
        if not is_finite(value):
            refuse("%s[%d]" % (what, len(numbers)), "a finite number", value)
        numbers.append(float(value))
    return numbers


def check_activation(what, activation):
    """Refuse what does not return (a, da/dz), as math.tanh does not."""
    expected = "a function z -> (a, da/dz) like backprop.tanh"
    try:
        a, da_dz = activation(0.5)
    except (TypeError, ValueError):
        refuse(what, expected, activation)      # Python shows the cause too
    if not (is_finite(a) and is_finite(da_dz)):
        refuse(what, expected, activation)


def check_plan(sizes, activations, rng):
    """Return sizes and activations as lists, fit for init_network."""
    sizes = check_list("sizes", sizes, "a list")
    if len(sizes) < 2:
        refuse("sizes", "at least two, inputs and outputs", sizes)
    for size in sizes:
        if not (isinstance(size, int) and size > 0):
            refuse("sizes", "whole numbers above 0", size)
    activations = check_list("activations", activations, "a list")
    check_length("activations, one per layer after the inputs",
                 activations, len(sizes) - 1)
    for number, activation in enumerate(activations):
        check_activation("activations[%d]" % number, activation)
    check_rng(rng)
    return sizes, activations


def check_rng(rng):
    """Refuse what next() cannot be asked of."""
    if not hasattr(rng, "__next__"):
        refuse("rng", "a generator such as uniform(1)", rng)


def check_network(network):
    """Refuse a network that is ragged or whose layers do not fit together."""
    if not (isinstance(network, list) and network):
        refuse("network", "a list of layers", network)
    n_in = None                 # the first row of weights will tell
    for number, layer in enumerate(network):
        where = "layer network[%d]" % number
        if not (isinstance(layer, (list, tuple)) and len(layer) == 3):
            refuse(where, "[weights, biases, activation]", layer)
        weights, biases, activation = layer
        if not (isinstance(weights, list) and weights):
            refuse(where + " weights", "a list of rows", weights)
        for j, row in enumerate(weights):
            if not (isinstance(row, list) and row):
                refuse("%s weights[%d]" % (where, j), "a list", row)
            if n_in is None:
                n_in = len(row)
            check_numbers("%s weights[%d]" % (where, j), row, n_in)
        if not isinstance(biases, list):
            refuse(where + " biases", "a list", biases)
        check_numbers(where + " biases", biases, len(weights))
        check_activation(where + " activation", activation)
        n_in = len(weights)         # the next layer's rows are as long
    # [[0.0, 0.0]] * 3 is one row three times: a step in one is a step in all
    ids = [id(row) for row in parameter_rows(network)]
    if len(set(ids)) < len(ids):
        refuse("network", "a list of its own for every node", network)


def check_samples(network, samples, loss):
    """Return the samples as a list of (inputs, targets), lists of floats.

    Refuses a bad network, samples that do not fit it, and none at all.
    """
    check_network(network)
    if not callable(loss):
        refuse("loss", "a function (outputs, targets) -> (C, [dC/da])", loss)
    samples = check_list("samples", samples, "a list of (inputs, targets)")
    if not samples:
        refuse("samples", "at least one", samples)
    n_in, n_out = len(network[0][0][0]), len(network[-1][1])
    checked = []
    for number, sample in enumerate(samples):
        where = "samples[%d]" % number
        pair = check_list(where, sample, "a pair (inputs, targets)")
        if len(pair) != 2:
            refuse(where, "a pair (inputs, targets)", sample)
        checked.append((check_numbers(where + " inputs", pair[0], n_in),
                        check_numbers(where + " targets", pair[1], n_out)))
    return checked


def check_settings(learning_rate, epochs, batch_size, rng):
    """Refuse settings that train cannot work with."""
    if not (is_finite(learning_rate) and learning_rate > 0):
        refuse("learning_rate", "a finite number above 0", learning_rate)
    if not (isinstance(epochs, int) and epochs >= 0):
        refuse("epochs", "a whole number, 0 or more", epochs)
    if not (isinstance(batch_size, int) and batch_size > 0):
        refuse("batch_size", "a whole number, 1 or more", batch_size)
    if rng is not None:
        check_rng(rng)


def check_converging(network, mean_C, epoch):
    """Refuse to go on where training has run off to infinity."""
    if not (is_finite(mean_C) and all(all(map(math.isfinite, row))
                                      for row in parameter_rows(network))):
        raise ValueError(
            "training diverged in epoch %d: the loss or a weight is no longer "
            "a finite number; try a smaller learning_rate" % epoch)


# --- The demo: python backprop.py --------------------------------------------

def demo():
    """Print a network being computed, checked and taught."""
    demo_step()
    demo_gradient_check()
    demo_xor()


def demo_step():
    """Print one training step of the 2-2-2 network of many tutorials."""
    network = [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
               [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]
    inputs, targets = [0.05, 0.10], [0.01, 0.99]
    activations, slopes = forward(network, inputs)
    C, output_gradient = squared_error(activations[-1], targets)
    deltas = backward(network, slopes, output_gradient)
    demo_nodes(network, activations, slopes, output_gradient, deltas)
    print("   Loss C = half the sum of (a - t) squared = %.9f" % C)
    demo_update(network, activations, deltas)
    C = squared_error(predict(network, inputs), targets)[0]
    print("   Loss C of the same sample, after the step = %.9f" % C)


def demo_nodes(network, activations, slopes, output_gradient, deltas):
    """Print what forward and backward have found out about each node."""
    print("""\
1. ONE TRAINING STEP, TO FOLLOW WITH A POCKET CALCULATOR
   Inputs x1 = 0.05, x2 = 0.10; hidden nodes h1, h2; outputs o1, o2, targets
   0.01, 0.99; weights and biases are the old ones of the second table.
   Forward, downwards: z = sum of w * a + b, a = sigmoid(z), slope a * (1 - a).
   Backward, upwards: dC/da = a - t at o1, o2; w5 * delta of o1 + w7 * delta
   of o2 at h1, and w6, w8 likewise at h2; delta dC/dz = dC/da * slope.
   node           z             a         slope         dC/da         delta""")
    hidden_gradient = [sumprod(column, deltas[1])
                       for column in columns(network[1][0])]
    for index, names, dC_da in [(0, ["h1", "h2"], hidden_gradient),
                                (1, ["o1", "o2"], output_gradient)]:
        weights, biases, activation = network[index]
        for j in range(2):
            z = sumprod(weights[j], activations[index]) + biases[j]
            print("   %s  %13.9f %13.9f %13.9f %13.9f %13.9f" % (
                names[j], z, activations[index + 1][j], slopes[index][j],
                dC_da[j], deltas[index][j]))


def demo_update(network, activations, deltas):
    """Print where sgd_step takes every weight and bias of that network."""
    print("""
   new = old - learning rate 0.5 * dC/dw,  and  dC/dw = delta * a:
   w/b from to      delta             a         dC/dw     old           new""")
    old = [[[list(row) for row in weights], list(biases)]
           for weights, biases, activation in network]
    sgd_step(network, activations, deltas, 0.5)
    names = [["x1", "x2"], ["h1", "h2"], ["o1", "o2"]]
    line = "   %s%d  %s > %s %12.9f * %11.9f = %12.9f    %.2f   %11.9f"
    for index in range(2):
        (weights, biases), new = old[index], network[index]
        for j in range(2):
            to, delta = names[index + 1][j], deltas[index][j]
            for i in range(2):
                a = activations[index][i]
                print(line % ("w", 4 * index + 2 * j + i + 1, names[index][i],
                              to, delta, a, delta * a,
                              weights[j][i], new[0][j][i]))
            print(line % ("b", 2 * index + j + 1, "1 ", to, delta, 1, delta,
                          biases[j], new[1][j]))


def demo_gradient_check():
    """Print for every activation and every loss whether the slopes are right.

    The difference itself, about 1e-10, is not the same on every machine.
    """
    print("""
2. GRADIENT CHECK: ARE THE SLOPES THE SAME AS FROM NUDGING EACH WEIGHT?
   3-5-4-3 networks; relative difference of backward from numerical gradient:
                squared_error  sigmoid_cross_entropy  softmax_cross_entropy""")
    samples = [([0.5, -1.0, 2.0], [0.0, 1.0, 0.0]),
               ([-1.5, 0.3, 0.8], [0.7, 0.1, 0.2])]
    for name, f in [("linear", linear), ("sigmoid", sigmoid), ("tanh", tanh),
                    ("relu", relu), ("leaky_relu", leaky_relu),
                    ("swish", swish)]:
        words = [name]
        for loss, output in [(squared_error, f),
                             (sigmoid_cross_entropy, linear),
                             (softmax_cross_entropy, linear)]:
            network = init_network([3, 5, 4, 3], [f, f, output], uniform(2))
            error = gradient_check(network, samples, loss)
            words.append("below 1e-8" if error < 1e-8 else "WRONG")
        print("   %-12s %-14s %-22s %s" % tuple(words))


def demo_xor():
    """Print how a network learns XOR."""
    samples = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(5))
    before = [predict(network, inputs)[0] for inputs, targets in samples]
    losses = train(network, samples, squared_error, 1.0, epochs=240)
    after = [predict(network, inputs)[0] for inputs, targets in samples]

    print("""
3. XOR: A 2-4-1 NETWORK (TANH, SIGMOID) LEARNS FROM RANDOM WEIGHTS
   Mean loss, falling; one column every 4 epochs, an epoch visits each sample
""", end="")
    plot(losses)
    print("""
   The output for all x1, x2 from 0 to 1, drawn as 0 [ .:-=+*#%@] 1""")
    table = ["", "", "x1 x2  target  before  after"]
    for (x, t), b, a in zip(samples, before, after):
        table.append("%2d %2d  %4d    %6.3f %6.3f" % (x[0], x[1], t[0], b, a))
    margin = ["x2 1"] + ["    "] * 7 + ["   0"]
    for label, line, text in zip(margin, draw(network), table + ["", ""]):
        print(("   %s |%s|   %s" % (label, line, text)).rstrip())
    print("         0" + " " * 35 + "1 x1")


def plot(losses, width=60, height=6):
    """Print the losses as a chart, from 0 up to 0.18."""
    for y in range(height, 0, -1):
        line = "   %.2f |" % (0.03 * y)
        for x in range(width):
            C = losses[x * len(losses) // width]
            line += "#" if C > 0.03 * (y - 0.5) else " "
        print(line.rstrip())
    print("   0.00 +" + "-" * width)
    print("   epoch 1 %*d" % (width - 2, len(losses)))


def draw(network, width=37, height=9):
    """Return lines that picture an output from 0 to 1 over both inputs."""
    lines = []
    for y in range(height - 1, -1, -1):
        line = ""
        for x in range(width):
            inputs = [x / (width - 1), y / (height - 1)]
            output = predict(network, inputs)[0]
            line += " .:-=+*#%@"[min(int(output * 10), 9)]
        lines.append(line)
    return lines


if __name__ == "__main__":
    demo()
