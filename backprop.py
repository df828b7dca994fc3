"""Backpropagation in plain Python: lists, the math module, and the chain rule.

Make a network, check its gradient, train it, and use it:

    >>> network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    >>> gradient_check(network, XOR, squared_error) < 1e-8
    True
    >>> losses = train(network, XOR, squared_error, 1.0, epochs=1000)
    >>> [round(predict(network, inputs)[0]) for inputs, targets in XOR]
    [0, 1, 1, 0]

train repeats two calls, which you can also make yourself:

    >>> C, gradient = loss_and_gradient(network, XOR, squared_error)
    >>> sgd_step(network, gradient, learning_rate=1.0)

loss_and_gradient calls forward, the loss (squared_error, sigmoid_cross_entropy
or softmax_cross_entropy), and backward, which calls send_back.  Activation
functions are linear, sigmoid, tanh, relu, leaky_relu and swish.  There are
also softmax, mean_loss, numerical_gradient, parameters and jacobian.
Run this file to see what backpropagation does.

The problem
    A neural network computes outputs from inputs with numbers that we can
    change: its weights and biases.  A sample is a pair of inputs and targets,
    and the targets are the outputs that we want.  The loss C, also called the
    cost, says in one number how far the outputs are from the targets.  To
    learn is to change the weights and biases so that C falls.

    Why compute gradients?  The derivative dC/dw tells us how much one weight w
    is to blame for C: if only w changes, and only a little, C changes by dC/dw
    times as much.  Such a derivative, with all other weights held constant, is
    called a partial derivative, and the list of all of them is the gradient of
    C.  You could measure each by nudging its weight and watching C, but then
    each weight would need its own forward pass through the network.  After one
    forward pass, backpropagation computes all of them in one backward pass.

The algorithm, step by step
    You start with inputs, targets, and a network with some weights and biases.

    1. Forward pass, or forward propagation: compute the activation of every
       node, that is its output, from the inputs on, layer after layer.
    2. Loss function: compute C, and its derivative with respect to every
       output.
    3. Backward pass: the total loss is propagated back through the network, a
       computational graph of nodes and arrows, from the outputs to the first
       layer.  Compute how much every node is responsible for C: its delta, the
       derivative of C with respect to the sum z that enters the node.
    4. Gradient: go from each node to its weights and its bias, and compute the
       partial derivative of C with respect to each, while all others are
       constant.  For several samples (a mini-batch), compute the mean.
    5. Gradient descent, or a variant of it: move every weight and bias by a
       small step against its derivative, since C falls in that direction.

    Steps 2 to 4 are backpropagation, and step 5 uses what they computed.  Then
    we repeat all five with the new weights and biases.

One node j, between the layer before (left) and the layer after (right)

    a_0 --- w_j0 --->+-----------------------------+--- w_0j ---> z_0 ---+
    a_1 --- w_j1 --->| z_j -------- f -------> a_j |                     +--> C
      1 --- b_j ---->+-----------------------------+--- w_1j ---> z_1 ---+

    dC/dw_j0 <- a_0 -+-----------------------------+<-- w_0j -- delta_0 <-+
    dC/dw_j1 <- a_1 -| delta_j <- slope -- dC/da_j |                      +-- C
    dC/db_j  <-- 1 --+-----------------------------+<-- w_1j -- delta_1 <-+

    On an arrow, multiply by its label, or apply f.  Where arrows meet, add.

Notation
    x  input      w  weight     z  weighted sum     C  loss
    t  target     b  bias       a  activation       f  activation function
    i, j, k       a node in the layer before, in this layer, in the layer
                  after; each layer has its own node 0, node 1, and so on
    w_ji          the weight from node i to node j: the receiver comes first
    slope         da/dz of a node: how steep f is at its z
    delta         dC/dz of a node: how fast C grows with its z
    hidden        said of a layer between the inputs and the outputs

The network is a plain list
    network = [[weights, biases, f], ...]    one entry for each layer of nodes
    weights[j][i]    w_ji; every node has a row, as in torch.nn.Linear
    biases[j]        b_j
    f                the activation function of the layer: f(z) -> (a, da/dz)
    Every node has a weight from every node of the layer before: such layers
    are called dense.  The inputs are not nodes: they have no entry here, no z,
    and no delta.

One idea: a value comes together with its derivative
    f(z)                                       ->  (a, da/dz)
    loss(outputs, targets)                     ->  (C, [dC/da, ...])
    loss_and_gradient(network, samples, loss)  ->  (C, [[dC/dw, dC/db], ...])
    Your own activation function or loss only needs to return the same pair.

Errors
    Wrong numbers and lengths raise a ValueError that says where the mistake
    is, and change nothing.  A function of your own may raise its own errors.
    forward, send_back, backward and sgd_step check only some of the lengths,
    because train calls them often.

Sources
    The method: D. Rumelhart, G. Hinton, R. Williams, Nature 323 (1986).  The
    four equations: M. Nielsen, Neural Networks and Deep Learning (2015).  The
    first weights: Y. LeCun and others, Efficient BackProp (1998).  The random
    numbers: S. Park, K. Miller, Communications of the ACM 31 (1988), and 36
    (1993) with P. Stockmeyer.
"""

import math

# Four samples: the target is 1 where exactly one of the two inputs is 1.
XOR = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]


# --- One node, and how wrong it is -------------------------------------------
# A node multiplies each input by a weight and adds up the products and a bias.
# Its activation function turns this sum z into the activation a.  In a hidden
# layer, it needs a curve or a bend, because weighted sums of weighted sums are
# only weighted sums.  Each layer may have its own.  Here are two common ones.

def dot(p, q):
    """Return p[0] * q[0] + p[1] * q[1] + ..., the dot product.

    >>> dot([1.0, 2.0], [10.0, 100.0])
    210.0
    """
    n, total = len(p), 0.0
    if n != len(q):
        raise ValueError("dot: expected %d numbers, got %d" % (n, len(q)))
    for i in range(n):
        total += p[i] * q[i]
    return total


if hasattr(math, "sumprod"):    # since Python 3.12: faster, and rounded once
    dot = math.sumprod


def sigmoid(z):
    """Return (a, da/dz) of a = 1 / (1 + exp(-z)), between 0 and 1.

    da/dz is exp(-z) / (1 + exp(-z))**2, and 1 - a is exp(-z) / (1 + exp(-z)).
    So da/dz is a * (1 - a): the slope at z (not at a), computed from a.

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

    It is a stretched sigmoid: a = 2 * s - 1, where s is the sigmoid of 2 * z.
    So da/dz is 2 * s * (1 - s) * 2, which is 1 - a**2, since s = (1 + a) / 2.

    >>> tanh(0.0)
    (0.0, 1.0)
    """
    a = math.tanh(z)
    return a, 1.0 - a * a


def squared_error(outputs, targets):
    """Return (C, [dC/da, ...]) of C = half the sum of (a - t)**2.

    The half cancels the 2 of the derivative, so that dC/da is just a - t.

    >>> squared_error([3.0, 1.0], [1.0, 1.0])
    (2.0, [2.0, 0.0])
    """
    check_length("targets", targets, len(outputs))
    C, dC_da = 0.0, []
    for a, t in zip(outputs, targets):
        C += 0.5 * (a - t) * (a - t)
        dC_da.append(a - t)
    return C, dC_da


# --- The chain rule: one node, then two in a row -----------------------------
# Take one node with one input.  The way from w to C has three stages:
#     >>> x, w, b, t = 0.5, 8.0, -4.0, 1.0
#     >>> z = w * x + b
#     >>> a = sigmoid(z)[0]
#     >>> C = (a - t)**2 / 2
#     >>> z, a, C
#     (0.0, 0.5, 0.125)
# Each stage has a derivative.  For dz/dw we ask how z, the input of the
# sigmoid, changes with w alone.  The remaining terms of z, here b, are treated
# as constants, and so x is what is left:
#     >>> dC_da, da_dz, dz_dw = a - t, a * (1 - a), x
#     >>> dC_da, da_dz, dz_dw
#     (-0.5, 0.25, 0.5)
# If w changes a little, z changes by dz/dw times as much, a changes by da/dz
# times as much as z, and C changes by dC/da times as much as a.  So the three
# factors multiply.  This is the chain rule, and how we derive it:
#     >>> dC_da * da_dz * dz_dw           # dC/dw
#     -0.0625
# dC/dw is negative, so C falls as w grows.  The first two factors make dC/dz,
# the delta of the node.  We compute it once and use it for three things: for
# the weights into the node, for its bias (dz/db is 1), and the node before it.
#
# Take two nodes in a row: now the input 0.5 is the activation a_h of a node h,
# and its z_h is 0 too.  The chain from C to z_h has two more links: dz/da_h is
# w, and da_h/dz_h is the slope of h.
#     >>> delta = dC_da * da_dz
#     >>> slope_h = sigmoid(0.0)[1]
#     >>> delta, delta * w * slope_h      # the second is the delta of h
#     (-0.125, -0.25)
# Multiply the delta of the node after by the weight between and by the slope:
# this is backpropagation.  Layers of several nodes add only one thing: a sum.


# --- Step 1, forward: from the inputs to the outputs -------------------------
# This is the easy direction, and the only one that a trained network needs.

def forward(network, inputs):
    """Return (activations, slopes) of all layers for one sample.

    activations  the inputs, then the a of every node, layer by layer, so that
                 activations[layer] goes into network[layer], and
                 activations[-1] are the outputs
    slopes       da/dz of every node: slopes[layer][j]

    z is not returned, because the backward pass needs only a and the slope.
    To see z, print dot(weights[j], activations[layer]) + biases[j] with the
    weights and biases of network[layer].

    >>> network = [[[[0.5, 0.5]], [-3.0], sigmoid]]     # two inputs, one node
    >>> forward(network, [4.0, 2.0])
    ([[4.0, 2.0], [0.5]], [[0.25]])
    """
    activations, slopes = [inputs], []
    for weights, biases, f in network:
        before, layer_activations, layer_slopes = activations[-1], [], []
        for j in range(len(weights)):
            # z_j = (sum over i of w_ji * a_i) + b_j
            z = dot(weights[j], before) + biases[j]
            a, slope = f(z)
            layer_activations.append(a)
            layer_slopes.append(slope)
        activations.append(layer_activations)
        slopes.append(layer_slopes)
    return activations, slopes


def predict(network, inputs):
    """Return the outputs of the network for the inputs of one sample."""
    check_network(network)
    inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
    return forward(network, inputs)[0][-1]


# --- Steps 3 and 4, backward: from the loss to every weight ------------------
# The loss gives us dC/da of every output.  From there we walk back, layer by
# layer.  At every node, the chain rule leads from a to z:
#     (1)  delta_j = dC/da_j * da_j/dz_j
# Textbooks call delta the error of the node, or the layer error.  It is not
# just the difference a - t: for an output under squared_error, it is a - t
# times the slope, and for a hidden node, there is no t.
#
# A hidden node has no target, so how can we know its dC/da?  This is what most
# people find hard.  Nudge a_j by a tiny e.  Each z_k of the layer after moves
# by w_kj * e, and this move alone would change C by delta_k times as much.
# Small effects add up (we neglect only terms with e * e), so together they
# change C by the sum of delta_k * w_kj * e.  Divide this sum by e:
#     (2)  dC/da_j = sum over k of w_kj * delta_k
# It is a sum because a_j reaches C by way of every z_k; textbooks call (2) the
# multivariable chain rule.  Each turn of (1) and (2) takes us back by a layer.
# So a derivative in the first layer is made of products of derivatives between
# layers, evaluated from the output backwards.
#
# One link is left, from a node to its weights and its bias.  dz_j/dw_ji is a_i
# and dz_j/db_j is 1, because all else in z_j is constant.  So
#     (3)  dC/dw_ji = delta_j * a_i
#     (4)  dC/db_j  = delta_j
# The third formula is what we came for: the derivative of the cost with
# respect to the weights of a layer.

def send_back(weights, deltas):
    """Return dC/da of every node j that these weights come from.

    Each node k of a layer sends its delta back along its weights: this is (2).

    >>> send_back([[2.0, 3.0, 4.0],     # 520 is 2 * 10 + 5 * 100
    ...            [5.0, 7.0, 9.0]], [10.0, 100.0])
    [520.0, 730.0, 940.0]
    """
    check_length("deltas", deltas, len(weights))
    dC_da = [0.0] * len(weights[0])
    for k in range(len(weights)):
        for j in range(len(dC_da)):
            # (2) C moves by delta_k per z_k, and z_k by w_kj per a_j
            dC_da[j] += weights[k][j] * deltas[k]
    return dC_da


def backward(network, activations, slopes, dC_da):
    """Return the gradient of one sample, [[dC/dweights, dC/dbiases], ...].

    activations and slopes come from forward; dC_da of the outputs comes from
    the loss.  The gradient has a pair for each layer, with the shape of its
    weights and biases.  By (4), gradient[layer][1] is also the list of deltas.
    No weight changes here, because (2) needs the old ones.

    Here are the two nodes in a row; h has w = 2 and b = -1, so its z is 0:

    >>> network = [[[[2.0]], [-1.0], sigmoid], [[[8.0]], [-4.0], sigmoid]]
    >>> activations, slopes = forward(network, [0.5])
    >>> backward(network, activations, slopes, [-0.5])
    [[[[-0.125]], [-0.25]], [[[-0.0625]], [-0.125]]]
    """
    check_length("dC_da", dC_da, len(network[-1][1]))
    gradient = []
    for layer in reversed(range(len(network))):
        deltas, dC_dw = [], []
        for j in range(len(dC_da)):
            # (1) C moves by dC/da_j per a_j, and a_j by slope per z_j
            delta = dC_da[j] * slopes[layer][j]
            deltas.append(delta)
            # (3) C moves by delta_j per z_j, and z_j by a_i per w_ji
            dC_dw.append([delta * a for a in activations[layer]])
        # (4) C moves by delta_j per z_j, and z_j by 1 per b_j
        dC_db = deltas
        gradient.insert(0, [dC_dw, dC_db])
        if layer > 0:
            # (2) go on to the layer before
            dC_da = send_back(network[layer][0], deltas)
    return gradient


# If you know matrices, here are (1) to (4) for W, the weights of a layer, and
# for columns; ' transposes, and o multiplies element by element:
#     (1)  delta = dC/da o slope          (3)  dC/dW = delta a'
#     (2)  dC/da = W' delta               (4)  dC/db = delta
# In (2), dC/da is of the layer before, and so is a in (3).  Elsewhere, (2) is
# called a vector-Jacobian product.
#
# What does the backward pass cost?  A weight takes one multiplication in the
# forward pass and two in the backward pass, in (2) and (3).  So the backward
# pass takes at most about twice as long, and every a and slope must be stored.
# Nudging would take a forward pass or two for every weight, and so would
# forward mode, which carries derivatives from the inputs to the outputs.  Our
# reverse mode takes one backward pass for each result, and C is one result.


# --- Step 4 for several samples: the mean gradient ---------------------------
# We make two assumptions about the loss.  First, C of several samples is the
# mean of the C of each.  So its gradient is the mean of their gradients, and
# a single training example at a time is enough.  Second, C is a function of
# the outputs (the targets are constants).  So the backward pass can begin with
# the dC/da of the outputs.

def parameters(network):
    """Return all rows of weights and lists of biases, as one list of lists.

    They are the lists of the network, or of a gradient, and not copies.

    >>> parameters([[[[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0], tanh]])
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    """
    rows = []
    for layer in network:
        rows += layer[0]
        rows.append(layer[1])
    return rows


def mean_gradient(network, samples, loss):
    """Return (C, gradient) as loss_and_gradient does, but check nothing."""
    C_sum, sums = 0.0, None
    for inputs, targets in samples:
        # steps 1 to 4 for one sample
        activations, slopes = forward(network, inputs)
        C, dC_da = loss(activations[-1], targets)
        dC_da = list(map(float, dC_da))     # a loss may return others
        gradient = backward(network, activations, slopes, dC_da)
        C_sum += float(C)
        if sums is None:
            sums = gradient
        else:
            for row, new in zip(parameters(sums), parameters(gradient)):
                for i in range(len(row)):
                    row[i] += new[i]
    n = len(samples)
    if n > 1:
        for row in parameters(sums):
            for i in range(len(row)):
                row[i] /= n
    return C_sum / n, sums


def loss_and_gradient(network, samples, loss):
    """Return (C, gradient), each of them the mean over the samples.

    The gradient is [[dC/dweights, dC/dbiases], ...], as in backward.  Here, w
    should grow for one sample and shrink by as much for the other:

    >>> network = [[[[8.0]], [-4.0], sigmoid]]
    >>> samples = [([0.5], [1.0]), ([0.5], [0.0])]
    >>> loss_and_gradient(network, samples, squared_error)
    (0.125, [[[[0.0]], [0.0]]])
    """
    samples = check_samples(network, samples, loss)
    return mean_gradient(network, samples, loss)


# --- Step 5: gradient descent ------------------------------------------------
# Picture C as a curve over w.  Where dC/dw is negative, C falls to the right,
# so w should grow.  Where it is positive, C falls to the left, so w should
# shrink.  w - learning_rate * dC/dw does both and moves w further where C is
# steeper.  You choose the learning rate, a positive number; together with the
# derivative, it determines the level of adjustment.
#
# Every derivative says "if only w changes".  Why may all weights move at once?
# The move of one weight changes C by about dC/dw times as much, which is
# -learning_rate * (dC/dw)**2.  Small effects add up, as in (2), so C falls by
# about learning_rate times the sum of all derivatives squared.  If the moves
# are large, this is not true, and C may even rise.

def sgd_step(network, gradient, learning_rate):
    """Move every weight and bias against its derivative; return None.

    The network is changed in place.  For momentum, weight decay or a layer
    that stays as it is, change the gradient before you call sgd_step.

    >>> network = [[[[8.0]], [-4.0], sigmoid]]
    >>> sgd_step(network, [[[[-0.5]], [0.25]]], learning_rate=2.0)
    >>> network[0][:2]
    [[[9.0]], [-4.5]]
    """
    rows, derivatives = parameters(network), parameters(gradient)
    if list(map(len, rows)) != list(map(len, derivatives)):
        refuse("gradient", "the same lengths as in the network", gradient)
    for row, dC_drow in zip(rows, derivatives):
        for i in range(len(row)):
            row[i] -= learning_rate * dC_drow[i]


# --- Checking the gradient ---------------------------------------------------
# A second way to the gradient is slow but needs no chain rule: nudge one
# weight and watch C.  If the two ways agree on every weight, you can trust
# them.  Do not trust a falling loss: some wrong gradients teach XOR too.

def total_loss(network, samples, loss):
    """Return the sum of the C of all samples; check nothing."""
    return sum([float(loss(forward(network, inputs)[0][-1], targets)[0])
                for inputs, targets in samples])


def mean_loss(network, samples, loss):
    """Return the mean C of the samples."""
    samples = check_samples(network, samples, loss)
    return total_loss(network, samples, loss) / len(samples)


def numerical_gradient(network, samples, loss, nudge=1e-5):
    """Return the gradient, measured by nudging every weight and every bias.

    dC/dw is about (C(w + nudge) - C(w - nudge)) / (2 * nudge).  This quotient
    misses by about nudge**2; nudging only one way would miss by about nudge.
    Rounding adds about 1e-16 / nudge, so a much smaller nudge is worse.
    Afterwards, the network is as it was, bit for bit.
    """
    nudge = check_above_0("nudge", nudge)
    samples = check_samples(network, samples, loss)

    def measure(row, i):
        w = row[i]
        try:
            row[i] = w + nudge
            right = total_loss(network, samples, loss)
            row[i] = w - nudge
            left = total_loss(network, samples, loss)
        finally:                        # put w back, even if the loss fails
            row[i] = w
        return (right - left) / (2 * nudge * len(samples))

    return [[[[measure(row, i) for i in range(len(row))] for row in weights],
             [measure(biases, j) for j in range(len(biases))]]
            for weights, biases, f in network]


def gradient_check(network, samples, loss):
    """Return |g - n| / (|g| + |n|) for the gradient g and the numerical n.

    |v| is the root of the sum of the squares of all numbers in v.  The result
    is 0 if g and n are both 0.  If it is below 1e-8, g and n agree as a whole,
    but a small derivative among large ones may be wrong.  It is 1/3 if g is
    twice or half of what it should be, and 1 if g is 0 or has the wrong sign.
    The result may also be large while g is right:
    - where a nudge crosses the kink of relu, because n mixes both slopes;
    - where g is almost 0, as at a minimum, because n is mostly rounding;
    - where inputs are far outside -1 to 1, because a nudge of w moves z by
      nudge times the input, and n misses by about the square of this move.

    A mistake spreads to all layers before it, so look for it in the last layer
    in which the two gradients differ.  The first of these two nodes has a
    wrong slope:

    >>> def no_slope(z):
    ...     return sigmoid(z)[0], 1.0
    >>> network = [[[[2.0]], [-1.0], no_slope], [[[8.0]], [-4.0], sigmoid]]
    >>> samples = [([0.5], [1.0])]
    >>> print("%.2f" % gradient_check(network, samples, squared_error))
    0.58
    >>> C, g = loss_and_gradient(network, samples, squared_error)
    >>> n = numerical_gradient(network, samples, squared_error)
    >>> for g_row, n_row in zip(parameters(g), parameters(n)):
    ...     print(["%.4f" % d for d in g_row], ["%.4f" % d for d in n_row])
    ['-0.5000'] ['-0.1250']
    ['-1.0000'] ['-0.2500']
    ['-0.0625'] ['-0.0625']
    ['-0.1250'] ['-0.1250']
    """
    C, gradient = loss_and_gradient(network, samples, loss)
    numerical = numerical_gradient(network, samples, loss)
    g = [d for row in parameters(gradient) for d in row]
    n = [d for row in parameters(numerical) for d in row]
    difference = [g_i - n_i for g_i, n_i in zip(g, n)]
    norms = math.sqrt(dot(g, g)) + math.sqrt(dot(n, n))     # |g| + |n|
    return math.sqrt(dot(difference, difference)) / norms if norms else 0.0


# --- The start: random weights -----------------------------------------------
# Learning has to begin somewhere, but not with equal weights: nodes of a layer
# that start alike get the same deltas, take the same steps, and stay alike.
# So we draw the weights at random.  The same seed gives the same numbers on
# every computer, and another seed gives another start.

def park_miller(state):
    """Yield floats in (0, 1) from a whole number from 1 to 2**31 - 2."""
    while True:
        state = state * 48271 % (2**31 - 1)
        yield state / (2**31 - 1)


def uniform(seed):
    """Return an endless generator of floats in (0, 1); the seed is any int."""
    seed = check_whole("seed", seed, -math.inf)
    # Close states, or small multiples of each other, would give related
    # numbers.  So we start far from 1 and raise the state to the power 17.
    state = 1 + (seed + 48271) % (2**31 - 2)
    return park_miller(state**17 % (2**31 - 1))


def init_network(sizes, functions, rng):
    """Return a new network [[weights, biases, f], ...] with random weights.

    sizes      how many inputs, then how many nodes in each layer: [2, 4, 1],
               or with two hidden layers [2, 4, 4, 1]
    functions  one activation function for each layer of nodes
    rng        a generator of floats in (0, 1), such as uniform(1)

    Biases start at 0.  The weights of a node with n_in inputs are uniform
    within +-sqrt(3 / n_in), so the mean of their squares is 1 / n_in.  Then z,
    a sum of n_in products, is about as large as one a, whatever n_in is.  relu
    makes half of all a 0, so others use +-sqrt(6 / n_in) for it (K. He, 2015).
    """
    check_length("sizes", sizes, None)
    sizes = [check_whole("sizes", size, 1) for size in sizes]
    if len(sizes) < 2:
        refuse("sizes", "at least two, inputs and outputs", sizes)
    check_length("functions", functions, len(sizes) - 1)
    for number, f in enumerate(functions):
        check_function("functions[%d]" % number, f)
    check_rng(rng)
    network = []
    for n_in, n_out, f in zip(sizes, sizes[1:], functions):
        limit = math.sqrt(3 / n_in)
        weights = [[limit * (2 * next(rng) - 1) for i in range(n_in)]
                   for j in range(n_out)]
        network.append([weights, [0.0] * n_out, f])
    return network


# --- Training: the five steps, again and again -------------------------------
# In an epoch, we visit every sample once.  The samples of a batch share a step
# against their mean gradient: one sample, a few (a mini-batch), or all.  If a
# batch does not have all of them, the direction of the step depends on which
# ones it has.  The method is then called stochastic gradient descent (SGD): a
# small step lowers C of its batch, but C of all samples only on average.

def shuffled(samples, rng):
    """Return the samples in a new order: sort random keys, and follow them."""
    keys = sorted([(next(rng), i) for i in range(len(samples))])
    return [samples[i] for key, i in keys]


def stop_if_diverged(network, C_sum, old, epoch):
    """Restore the old weights and raise an error if a number is not finite."""
    numbers = [w for row in parameters(network) for w in row]
    if not all_finite(numbers + [C_sum]):
        for row, old_row in zip(parameters(network), old):
            row[:] = old_row
        raise ValueError(
            "training diverged in epoch %d: the loss or a weight is no longer "
            "a finite number; try a smaller learning_rate, or check the "
            "gradient that the loss returns" % epoch)


def train(network, samples, loss, learning_rate,
          epochs=1, batch_size=1, rng=None):
    """Train the network in place; return the mean loss of each epoch.

    learning_rate  if it is too large, C grows, and if it is too small, C
                   hardly falls; try 1, 0.1, 0.01
    batch_size     how many samples share a step; the last batch may be smaller
    rng            a generator such as uniform(2), which gives every epoch a
                   new order of samples; your list keeps its order

    The loss of a batch is computed before its own step.  Steps that were taken
    stay, even if you press Ctrl-C.  But if a number is not finite after an
    epoch, train restores the weights from the start of that epoch and raises a
    ValueError.  To judge a network, compute its mean_loss on new samples.

    Not every start leads to the goal.  Trained as at the top of this file, the
    network learns XOR with every seed from 0 to 99 except 29: long steps take
    its weights to almost 0, and all its outputs become 0.50.  With the
    learning rate 0.5, it learns with this seed too.
    """
    samples = check_samples(network, samples, loss)
    learning_rate = check_above_0("learning_rate", learning_rate)
    epochs = check_whole("epochs", epochs, 0)
    batch_size = check_whole("batch_size", batch_size, 1)
    if rng is not None:
        check_rng(rng)
    losses = []
    for epoch in range(1, epochs + 1):
        old, C_sum = [list(row) for row in parameters(network)], 0.0
        order = samples if rng is None else shuffled(samples, rng)
        try:
            for start in range(0, len(order), batch_size):
                batch = order[start:start + batch_size]
                C, gradient = mean_gradient(network, batch, loss)
                sgd_step(network, gradient, learning_rate)
                C_sum += C * len(batch)
        except OverflowError:           # in a function of your own
            C_sum = math.inf
            raise
        finally:                        # after an error or Ctrl-C as well
            stop_if_diverged(network, C_sum, old, epoch)
        losses.append(C_sum / len(order))
    return losses


# The lesson ends here: you can now build, train and check a network.

# --- More activation functions, each z -> (a, da/dz) -------------------------

def linear(z):
    """Return (a, da/dz) of a = z, for outputs that may be any number."""
    return z, 1.0


def relu(z):
    """Return (a, da/dz) of a = z if z > 0, else 0.

    At the kink, z = 0, there is no derivative, and we choose 0.  A node is
    dead if its slope is 0 for every sample: while it is dead, it cannot learn.

    In the backward pass, each layer multiplies the deltas by a slope, which is
    at most 1/4 for the sigmoid and at most 1 for tanh.  So the first layers of
    a deep network may hardly learn.  The name for this is vanishing gradient;
    it is one reason to use relu, whose slope is 1 where z > 0.
    """
    return (0.0, 0.0) if z <= 0.0 else (z, 1.0)


def leaky_relu(z):
    """Return (a, da/dz) of a = z if z > 0, else 0.01 * z."""
    return (0.01 * z, 0.01) if z <= 0.0 else (z, 1.0)


def swish(z):
    """Return (a, da/dz) of a = z * s, where s is the sigmoid of z (SiLU)."""
    s, ds_dz = sigmoid(z)
    return z * s, s + z * ds_dz         # by the product rule


# --- Losses for probabilities, each -> (C, [dC/dz, ...]) ---------------------
# If p is the probability that the network gives to the right answer, -log(p)
# is 0 for p = 1 and grows without limit as p nears 0.  These losses compute p
# from the outputs z of a linear layer, which are then called logits.  Since
# a = z there, the dC/dz that they return is also dC/da.  It is p - t, without
# a slope.  So an output that is very wrong learns fast, whereas squared_error
# on a sigmoid would multiply its difference by a slope near 0.

def sigmoid_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that each say yes or no.

    p = sigmoid(z)[0] is the probability of yes, and t is its target, 0 to 1:
        C = sum of (-t * log(p) - (1 - t) * log(1 - p))
        dC/dp = -t / p + (1 - t) / (1 - p) = (p - t) / (p * (1 - p))
        dC/dz = dC/dp * dp/dz = dC/dp * p * (1 - p) = p - t
    For p from a trained network, apply sigmoid to its outputs.

    >>> C, dC_dz = sigmoid_cross_entropy([0.0], [1.0])
    >>> print("%.6f" % C, dC_dz)
    0.693147 [-0.5]
    """
    check_probabilities(targets, len(logits))
    C, dC_dz = 0.0, []
    for z, t in zip(logits, targets):
        # -log(p) is log(1 + exp(-z)), and -log(1 - p) is z more than that.  So
        # C is z - t * z + log(1 + exp(-z)), or -t * z + log(1 + exp(z)), which
        # is the same; the next line takes the one that cannot overflow:
        C += max(z, 0.0) - t * z + math.log(1.0 + math.exp(-abs(z)))
        dC_dz.append(sigmoid(z)[0] - t)         # p - t
    return C, dC_dz


def softmax(logits):
    """Return probabilities p_j = exp(z_j) / (sum of exp(z)), which sum to 1.

    Each p_i depends on every z_j, so softmax is not an activation function
    here.  By the quotient rule,
        dp_i/dz_j = p_i * ((1 if i == j else 0) - p_j)

    >>> softmax([5.0, 5.0])
    [0.5, 0.5]
    """
    check_length("logits", logits, None)
    top = max(logits)           # p stays the same, but no exp overflows
    powers = [math.exp(z - top) for z in logits]
    total = sum(powers)
    return [power / total for power in powers]


def softmax_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that choose one of several classes.

    With p = softmax(z) and targets that sum to 1, such as [0, 1, 0]:
        C = sum of (-t_i * log(p_i)) = log(sum of exp(z)) - (sum of t * z)
        dC/dp_i = -t_i / p_i
        dC/dz_j = sum over i of dC/dp_i * dp_i/dz_j
                = sum over i of -t_i * ((1 if i == j else 0) - p_j) = p_j - t_j
    dC/dz includes the derivative of softmax, so do not add a softmax layer.
    For p from a trained network, apply softmax to its outputs; the class is
    p.index(max(p)).

    >>> C, dC_dz = softmax_cross_entropy([0.0, 0.0], [1, 0])
    >>> print("%.6f" % C, dC_dz)
    0.693147 [-0.5, 0.5]
    """
    check_probabilities(targets, len(logits))
    if not abs(sum(targets) - 1) < 1e-6:
        refuse("targets", "numbers that sum to 1", targets)
    top = max(logits)           # as in softmax
    C = math.log(sum([math.exp(z - top) for z in logits]))
    for z, t in zip(logits, targets):
        if t > 0:               # 0 adds 0, even if z - top is -inf
            C -= t * (z - top)
    return C, [p - t for p, t in zip(softmax(logits), targets)]


# --- How much each input matters ---------------------------------------------

def jacobian(network, inputs):
    """Return the Jacobian matrix: d output_k / dx_i in rows, one per output.

    For each output, there is a backward pass with that output in place of C.
    At its end, we apply (2) once more, from the first layer to the inputs.

    >>> jacobian([[[[2.0, 3.0]], [0.0], linear]], [1.0, 1.0])
    [[2.0, 3.0]]
    """
    check_network(network)
    inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
    activations, slopes = forward(network, inputs)
    rows = []
    for k in range(len(slopes[-1])):
        only_k = [0.0] * len(slopes[-1])
        only_k[k] = 1.0         # d output_k / d output_j: 1 for j = k, else 0
        gradient = backward(network, activations, slopes, only_k)
        rows.append(send_back(network[0][0], gradient[0][1]))
    return rows


# --- The demo: python backprop.py --------------------------------------------

def demo():
    """Show what backpropagation is, in four parts."""
    demo_chain()
    demo_step()
    demo_check()
    demo_xor()


def demo_chain():
    """Follow one nudge from a weight to the loss."""
    def follow(w):
        z = w * 0.5 - 4.0
        a = sigmoid(z)[0]
        return z, a, squared_error([a], [1.0])[0]

    dz, da, dC = [new - old for old, new in zip(follow(8.0), follow(8.01))]
    print("""\
1. FOLLOW ONE NUDGE: THE CHAIN RULE                                demo_chain()
   One node computes z = w * x + b and a = sigmoid(z), and the loss is C = half
   of (a - target)**2.  With x = 0.5, w = 8, b = -4 and the target 1, z is 0, a
   is 0.5, and C is 0.125.  Raise w by 0.01.  How far does each number move,
   how many times as far as the one before it, and what does calculus say?
     w:  0.010000
     z: %9.6f,  %7.4f times as far as w     dz/dw = x           =  0.5
     a: %9.6f,  %7.4f times as far as z     da/dz = a * (1 - a) =  0.25
     C: %9.6f,  %7.4f times as far as a     dC/da = a - target  = -0.5
   So from w to C, the three multiply: dC/dw = 0.5 * 0.25 * -0.5 = -0.0625.
   Measured from end to end, it is %.4f; a smaller nudge would come closer.
   C falls as w grows, so w should grow.
""" % (dz, dz / 0.01, da, da / dz, dC, dC / da, dC / 0.01))


def demo_problem():
    """Return the network of M. Mazur's post (2015), its inputs and targets."""
    network = [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
               [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]
    return network, [0.05, 0.10], [0.01, 0.99]


def demo_step():
    """Draw a network with its forward pass and its backward pass."""
    network, inputs, targets = demo_problem()
    activations, slopes = forward(network, inputs)
    h, o = activations[1:]
    C, off = squared_error(o, targets)
    gradient = backward(network, activations, slopes, off)
    delta_h, delta_o = gradient[0][1], gradient[1][1]
    print("""\
2. THE SAME WIRES, USED TWICE                                       demo_step()
   FORWARD: a node adds up weight * a over the wires that arrive, adds its bias
   (0.35 for h1 and h2, 0.60 for o1 and o2), and applies the sigmoid.
   x1 0.05 --0.15--> h1 %.4f --0.40--> o1 %.4f   target 0.01  off %7.4f
           \\ 0.25 /            \\ 0.50 /
              ><                  ><
           / 0.20 \\            / 0.45 \\
   x2 0.10 --0.30--> h2 %.4f --0.55--> o2 %.4f   target 0.99  off %7.4f
   Off is a - target.  C is half the sum of off squared: %.6f.

   BACKWARD: every node gets a delta, which says how much it is to blame.  That
   of an output is its slope, a * (1 - a), times what it is off.  A hidden node
   adds up weight * delta over the same wires, and multiplies by its slope.
                     h1 %.4f <--0.40-- o1 %7.4f = slope %.4f * %7.4f
                            \\ 0.50 /
                               ><
                            / 0.45 \\
                     h2 %.4f <--0.55-- o2 %7.4f = slope %.4f * %7.4f
   For h1, this is (0.40 * %.4f + 0.50 * %.4f) * slope %.4f = %.4f.
""" % (h[0], o[0], off[0], h[1], o[1], off[1], C,
       delta_h[0], delta_o[0], slopes[1][0], off[0],
       delta_h[1], delta_o[1], slopes[1][1], off[1],
       delta_o[0], delta_o[1], slopes[0][0], delta_h[0]))


def demo_check():
    """Compare both ways to the gradient, and take a step."""
    network, inputs, targets = demo_problem()
    x, h, o = forward(network, inputs)[0]
    samples, moved = [(inputs, targets)], demo_problem()[0]
    C, gradient = loss_and_gradient(network, samples, squared_error)
    nudged = numerical_gradient(network, samples, squared_error)
    sgd_step(moved, gradient, 0.5)
    print("""\
3. WHO IS TO BLAME?  BACKPROPAGATION AND NUDGING AGREE             demo_check()
   weight      delta * a        =  dC/dw    nudging raise|lower before   after\
""")
    # one list each, in the order of parameters
    names = ("x1->h1 x2->h1 x1->h2 x2->h2 bias-h1 bias-h2 "
             "h1->o1 h2->o1 h1->o2 h2->o2 bias-o1 bias-o2").split()
    senders = x + x + [1.0, 1.0] + h + h + [1.0, 1.0]
    deltas = []
    for dC_dw, (d1, d2) in gradient:
        deltas += [d1, d1, d2, d2, d1, d2]
    lists = [[number for row in parameters(each) for number in row]
             for each in [gradient, nudged, network, moved]]
    for name, delta, a, dC_dw, n, old, new in zip(
            names, deltas, senders, *lists):
        bar = "#" * max(1, round(45 * abs(dC_dw)))
        print("   %-8s%9.6f * %.6f = %9.6f %9.6f  %3s|%-7s%.2f %.6f" % (
            name, delta, a, dC_dw, n, bar if dC_dw < 0 else "",
            bar if dC_dw > 0 else "", old, new))
    squares = sum([dot(row, row) for row in parameters(gradient)])
    C_new = mean_loss(moved, samples, squared_error)
    print("""\
   All 12 took one pass forward and one back; nudging took 24 passes forward.
   A bias counts as a weight from a node whose a is 1.
   A bar to the right says: lower this number; one to the left says: raise it.
   After is before - 0.5 * dC/dw, where 0.5 is the learning rate.
   Each such move should lower C by about 0.5 * (dC/dw)**2, together %.4f.
   They lower it by %.4f, from %.4f to %.4f.\
""" % (0.5 * squares, C - C_new, C, C_new))
    demo_differences()


def demo_differences():
    """Say how gradient_check judges all slopes, and a wrong one."""
    def wrong(z):
        return tanh(z)[0], 1.0 - tanh(z)[0]

    def difference(f, loss):
        network = init_network([3, 5, 4, 3], [f, f, linear], uniform(2))
        return gradient_check(network, [([0.5, -1.0, 2.0], [0.0, 1.0, 0.0]),
                                        ([-1.5, 0.3, 0.8], [0.7, 0.1, 0.2])],
                              loss)

    largest = max([difference(f, loss)
                   for f in [linear, sigmoid, tanh, relu, leaky_relu, swish]
                   for loss in [squared_error, sigmoid_cross_entropy,
                                softmax_cross_entropy]])
    print("""\
   gradient_check compares both ways for any network.  For all 6 activation
   functions with all 3 losses, the relative difference is %s; if
   tanh has the slope 1 - a, where 1 - a * a is right, it is %.2f.
""" % ("below 1e-8" if largest < 1e-8 else "%.0e" % largest,
       difference(wrong, squared_error)))


def demo_xor():
    """Show how a network learns XOR from random weights."""
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    film, done = ["  "] * 9, 0
    for epoch in [0, 40, 60, 80, 180]:
        train(network, XOR, squared_error, 1.0, epochs=epoch - done)
        done = epoch
        for y in range(7):
            film[y] += " |"
            for x in range(11):
                output = predict(network, [x / 10, 1 - y / 6])[0]
                film[y] += " .:-=+*#%@"[min(9, int(10 * output))]
            film[y] += "| "
        film[7] += " %-14s" % ("epoch %d" % epoch)
        film[8] += " C = %-10.3f" % mean_loss(network, XOR, squared_error)
    answers = ["%d xor %d: %.2f" % (x[0], x[1], predict(network, x)[0])
               for x, t in XOR]
    print("""\
4. AGAIN AND AGAIN: A 2-4-1 NETWORK LEARNS XOR                       demo_xor()
   2-4-1 means 2 inputs, 4 hidden nodes and 1 output.  The output should be 1
   where exactly one input is 1.  An epoch takes a step for each of 4 samples.
   A square shows the output for all inputs from 0 to 1: x1 runs to the right,
   and x2 runs up; a blank is near 0, + is near 0.5, and @ is near 1.
%s
   %s
   Each part is a function, named at its right.  Now read backprop.py from the
   top: it explains every step of this.\
""" % ("\n".join([line.rstrip() for line in film]), "   ".join(answers)))


# --- Checks of the input -----------------------------------------------------

def refuse(what, expected, came):
    """Raise a ValueError that says what was expected and what came."""
    try:
        came = repr(came)
    except ValueError:                  # a whole number of over 4,300 digits
        came = "a number that is too long to print"
    if len(came) > 60:
        came = came[:57] + "..."
    raise ValueError("%s: expected %s, got %s" % (what, expected, came))


def all_finite(values):
    """Return whether all values are numbers, and none is NaN or infinite."""
    try:
        return all(map(math.isfinite, values))
    except (TypeError, OverflowError):  # not numbers, or as large as 10**400
        return False


def check_length(what, values, expected):
    """Refuse values with no length or the wrong one; None allows any."""
    try:
        length = len(values)
    except TypeError:                   # a number, a zip, an endless generator
        refuse(what, "a list", values)
    if expected is not None and length != expected:
        refuse(what, "length %d" % expected, length)


def check_numbers(what, values, expected):
    """Return a list of floats, all finite, as many as expected."""
    if (isinstance(values, (str, bytes, dict, set, frozenset))
            or getattr(values, "ndim", 1) != 1):        # a table or a matrix
        refuse(what, "a list of numbers", values)
    check_length(what, values, expected)
    if not all_finite(values):
        for i, value in enumerate(values):
            if not all_finite([value]):
                refuse("%s[%d]" % (what, i), "a finite number", value)
    return list(map(float, values))


def check_above_0(what, value):
    """Return a finite number above 0 as a float."""
    if not (all_finite([value]) and value > 0):
        refuse(what, "a finite number above 0", value)
    return float(value)


def check_whole(what, value, least):
    """Return a whole number as an int, be it Python's or NumPy's."""
    if not (isinstance(value, int) or hasattr(value, "__index__")):
        refuse(what, "a whole number", value)
    if value < least:
        refuse(what, "%d or more" % least, value)
    return int(value)


def check_rng(rng):
    """Refuse what is not a generator, such as a seed; draw nothing from it."""
    if not hasattr(rng, "__next__"):
        refuse("rng", "a generator of floats in (0, 1), like uniform(1)", rng)


def check_function(what, f):
    """Refuse f unless it returns (a, da/dz); math.tanh returns only a."""
    expected = "a function z -> (a, da/dz), like tanh here"
    if not callable(f):
        refuse(what, expected, f)
    for z in [-1.0, 0.0, 1.0]:
        try:
            pair = f(z)
        except ValueError as error:     # say where; others pass unchanged
            raise ValueError("%s: %s" % (what, error))
        if not (all_finite(pair) and len(pair) == 2):
            refuse(what, expected, pair)


def check_network(network):
    """Refuse a network that is ragged, or whose layers do not fit together."""
    check_length("network", network, None)
    n_in = None                         # the first row will tell
    for layer, parts in enumerate(network):
        where = "network[%d]" % layer
        check_length(where + ", [weights, biases, f]", parts, 3)
        weights, biases, f = parts
        check_length(where + " weights", weights, None)
        for j, row in enumerate(weights):
            check_row("%s weights[%d]" % (where, j), row, n_in)
            n_in = len(row)
        check_row(where + " biases", biases, len(weights))
        n_in = len(weights)             # for the rows of the next layer
        check_function(where + " f", f)
    rows = parameters(network)
    if not rows:
        refuse("network", "at least one layer", network)
    # [[0.0, 0.0]] * 3 is one row three times: a step in one is a step in all
    if len(set(map(id, rows))) < len(rows):
        refuse("network", "a list of its own for every node", network)


def check_row(what, row, expected):
    """Refuse anything but a list of numbers: training changes it in place."""
    if not isinstance(row, list) or not row:
        refuse(what, "a list of numbers, as .tolist() or list(...) makes", row)
    check_numbers(what, row, expected)


def check_samples(network, samples, loss):
    """Return the samples as floats; try the loss on their targets too."""
    check_network(network)
    n_in, n_out = len(network[0][0][0]), len(network[-1][1])
    if loss is sigmoid_cross_entropy and network[-1][2] is sigmoid:
        refuse("network[%d] f" % (len(network) - 1), "linear, because "
               "sigmoid_cross_entropy applies the sigmoid itself", sigmoid)
    check_length("samples", samples, None)
    checked = []
    for number, sample in enumerate(samples):
        where = "samples[%d]" % number
        try:
            inputs, targets = None if isinstance(sample, str) else sample
        except (TypeError, ValueError):
            refuse(where, "a pair (inputs, targets)", sample)
        inputs = check_numbers(where + " inputs", inputs, n_in)
        # a loss that writes into its targets fails on a tuple
        targets = tuple(check_numbers(where + " targets", targets, n_out))
        try:
            check_loss(where, loss, [0.5] * n_out, targets)
        except (ArithmeticError, ValueError):   # not every loss takes 0.5
            outputs = forward(network, inputs)[0][-1]
            check_loss(where, loss, outputs, targets)
        checked.append((inputs, targets))
    if not checked:
        refuse("samples", "at least one", samples)
    return checked


def check_loss(where, loss, outputs, targets):
    """Refuse a loss that fails with the targets, or is not (C, [dC/da])."""
    try:
        pair = loss(outputs, targets)
    except ValueError as error:
        raise ValueError("%s: %s" % (where, error))
    try:
        C, dC_da = pair
        C, dC_da = float(C), list(map(float, dC_da))
    except (TypeError, ValueError):
        refuse("loss of " + where, "(C, [dC/da, ...])", pair)
    check_length("loss of %s, dC/da" % where, dC_da, len(targets))


def check_probabilities(targets, expected):
    """Refuse targets that are not probabilities, for a cross-entropy."""
    check_length("targets", targets, expected)
    if not all([0 <= t <= 1 for t in targets]):
        refuse("targets", "probabilities from 0 to 1", targets)


if __name__ == "__main__":
    demo()
