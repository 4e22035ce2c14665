// SPDX-License-Identifier: GPL-2.0
/* Programs: made at random, kept where they reached something new, and varied. */
#include "fuzz.h"

#define KEEP 512

static struct program kept[KEEP];
static unsigned int nr_kept;
static uint64_t state;

void rnd_seed(uint64_t seed)
{
	state = seed * 0x9E3779B97F4A7C15ULL + 1;
}

uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545F4914F6CDD1DULL;
}

/* Numbers at which something changes, near them, or any. */
static uint64_t interesting(void)
{
	static const uint64_t edges[] = {
		0, 1, PAGE, 2 * PAGE, 16 * PAGE, 64 * KIB, 2 * MIB, 4 * MIB, 16 * MIB, 32 * MIB,
		64 * MIB, GIB, 1ULL << 31, 1ULL << 32, 1ULL << 40, 1ULL << 52, 1ULL << 62, 1ULL << 63,
		~0ULL, ~0ULL - PAGE + 1, ~0ULL - 2 * PAGE + 1,
	};
	uint64_t v;

	switch (rnd() % 8) {
	case 0:
		return rnd();
	case 1:
		return rnd() >> (rnd() % 64);
	case 2 ... 3:
		return 1ULL << (rnd() % 64);
	case 4:
		v = edges[rnd() % (sizeof(edges) / sizeof(*edges))];
		return v + (rnd() % 5) - 2;
	case 5:
		return (1 + rnd() % 64) * PAGE;
	default:
		return edges[rnd() % (sizeof(edges) / sizeof(*edges))];
	}
}

static unsigned int random_op(void)
{
	static unsigned int sum;
	unsigned int i, at;

	if (!sum)
		for (i = 0; i < nr_ops; i++)
			sum += ops[i].weight;
	at = rnd() % sum;
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return i;
}

static void random_call(struct call *c)
{
	c->op = random_op();
	c->obj = rnd();
	c->mode = rnd();
	c->bend = rnd() % 8 ? 0 : rnd();
	c->small = rnd() % 4 ? rnd() % 64 : rnd();
	c->x = interesting();
	c->y = interesting();
}

static void change_call(struct call *c)
{
	switch (rnd() % 8) {
	case 0:
		c->obj = rnd();
		break;
	case 1:
		c->mode = rnd();
		break;
	case 2:
		c->bend = rnd();
		break;
	case 3:
		c->bend = 0;
		break;
	case 4:
		c->small = rnd() % 2 ? rnd() % 64 : 1U << (rnd() % 32);
		break;
	case 5:
		c->x = interesting();
		break;
	case 6:
		c->y = interesting();
		break;
	case 7:
		c->x += (rnd() % 3) * PAGE - PAGE;
		break;
	}
}

static void insert_call(struct program *p)
{
	unsigned int at = rnd() % (p->n + 1);

	if (p->n == MAX_CALLS)
		return;
	memmove(&p->calls[at + 1], &p->calls[at], (p->n - at) * sizeof(struct call));
	random_call(&p->calls[at]);
	p->n++;
}

static void remove_call(struct program *p)
{
	unsigned int at = rnd() % p->n;

	if (p->n == 1)
		return;
	p->n--;
	memmove(&p->calls[at], &p->calls[at + 1], (p->n - at) * sizeof(struct call));
}

/* The first part of @p, then the last part of @other. */
static void join(struct program *p, const struct program *other)
{
	unsigned int head = rnd() % (p->n + 1), skip = rnd() % other->n;
	unsigned int tail = other->n - skip;

	if (tail > MAX_CALLS - head)
		tail = MAX_CALLS - head;
	memcpy(&p->calls[head], &other->calls[skip], tail * sizeof(struct call));
	if (head + tail)
		p->n = head + tail;
}

void corpus_next(struct program *p)
{
	unsigned int i, changes;

	memset(p, 0, sizeof(*p));
	if (!nr_kept || rnd() % 3 == 0) {
		p->n = 4 + rnd() % (MAX_CALLS - 3);
		for (i = 0; i < p->n; i++)
			random_call(&p->calls[i]);
		/* Without a file and a region most calls do nothing. */
		p->calls[0] = (struct call){ .op = 0, .mode = 1 };
		p->calls[1].op = 1;
		p->calls[1].mode |= 1;
		p->calls[1].bend = 0;
		return;
	}
	*p = kept[rnd() % nr_kept];
	for (changes = 1 + rnd() % 4; changes; changes--) {
		switch (rnd() % 8) {
		case 0 ... 3:
			change_call(&p->calls[rnd() % p->n]);
			break;
		case 4 ... 5:
			insert_call(p);
			break;
		case 6:
			remove_call(p);
			break;
		case 7:
			join(p, &kept[rnd() % nr_kept]);
			break;
		}
	}
}

void corpus_keep(const struct program *p)
{
	kept[nr_kept < KEEP ? nr_kept++ : rnd() % KEEP] = *p;
}

unsigned int corpus_size(void)
{
	return nr_kept;
}

/* As a person reads it, then as -p takes it. */
void program_print(const struct program *p, unsigned int upto)
{
	const unsigned char *bytes = (const unsigned char *)p->calls;
	unsigned int i;

	for (i = 0; i < p->n && i <= upto; i++) {
		const struct call *c = &p->calls[i];

		printf("#  %2u %-10s obj %u mode %#x bend %#x small %#x x %#llx y %#llx\n", i,
		       ops[c->op].name, c->obj, c->mode, c->bend, c->small,
		       (unsigned long long)c->x, (unsigned long long)c->y);
	}
	printf("# to repeat: fuzz -p ");
	for (i = 0; i < p->n * sizeof(struct call); i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

bool program_parse(struct program *p, const char *hex)
{
	unsigned char *bytes = (unsigned char *)p->calls;
	size_t len = strlen(hex) / 2, i;

	memset(p, 0, sizeof(*p));
	if (!len || len % sizeof(struct call) || len > sizeof(p->calls))
		return false;
	for (i = 0; i < len; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &bytes[i]) != 1)
			return false;
	p->n = len / sizeof(struct call);
	for (i = 0; i < p->n; i++)
		if (p->calls[i].op >= nr_ops)
			return false;
	return true;
}
