// SPDX-License-Identifier: MIT
/*
 * An allocator of tensors as frameworks write them: it keeps freed blocks for each
 * stream, divides and joins them, grows one range of addresses by physical memory
 * (expandable segments), and gives that back when the device is full. Errors are
 * exceptions, everything that must be ended ends by scope.
 */
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <acl/acl.h>

namespace {

struct Error : std::runtime_error {
	Error(aclError number, const std::string &call)
		: std::runtime_error(call + " gives " + std::to_string(number) + "\n  " +
				     text()),
		  code(number)
	{
	}
	static std::string text()
	{
		const char *message = aclGetRecentErrMsg();

		return message ? message : "no text";
	}
	aclError code;
};

struct Wrong : std::logic_error {
	using std::logic_error::logic_error;
};

#define CHECK(call)                                                                      \
	do {                                                                             \
		const aclError code_ = (call);                                           \
		if (code_ != ACL_SUCCESS)                                                \
			throw Error(code_, #call);                                       \
	} while (0)

void expect(bool good, const char *what)
{
	if (!good)
		throw Wrong(what);
}

class Device {
      public:
	explicit Device(int32_t id) : id_(id)
	{
		const aclError code = aclInit(nullptr);

		if (code != ACL_SUCCESS && code != ACL_ERROR_REPEAT_INITIALIZE)
			throw Error(code, "aclInit");
		CHECK(aclrtSetDevice(id_));
	}
	~Device()
	{
		aclrtResetDevice(id_);
		aclFinalize();
	}
	Device(const Device &) = delete;
	Device &operator=(const Device &) = delete;

      private:
	int32_t id_;
};

class Stream {
      public:
	Stream() { CHECK(aclrtCreateStream(&stream_)); }
	~Stream() { aclrtDestroyStream(stream_); }
	Stream(const Stream &) = delete;
	Stream &operator=(const Stream &) = delete;
	aclrtStream get() const { return stream_; }
	void synchronize() const { CHECK(aclrtSynchronizeStream(stream_)); }

      private:
	aclrtStream stream_ = nullptr;
};

class Event {
      public:
	explicit Event(const Stream &stream)
	{
		CHECK(aclrtCreateEventExWithFlag(&event_, ACL_EVENT_SYNC));
		CHECK(aclrtRecordEvent(event_, stream.get()));
	}
	~Event() { aclrtDestroyEvent(event_); }
	Event(const Event &) = delete;
	Event &operator=(const Event &) = delete;
	bool done() const
	{
		aclrtEventRecordedStatus status;

		CHECK(aclrtQueryEventStatus(event_, &status));
		return status == ACL_EVENT_RECORDED_STATUS_COMPLETE;
	}
	void wait() const { CHECK(aclrtSynchronizeEvent(event_)); }

      private:
	aclrtEvent event_ = nullptr;
};

/* Addresses for as much as the device has; memory behind those that are used. */
class Segment {
      public:
	Segment()
	{
		size_t free, total;

		prop_.memAttr = ACL_HBM_MEM_HUGE;
		prop_.location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
		CHECK(aclrtMemGetAllocationGranularity(
			&prop_, ACL_RT_MEM_ALLOC_GRANULARITY_RECOMMENDED, &unit_));
		CHECK(aclrtGetMemInfo(ACL_HBM_MEM, &free, &total));
		CHECK(aclrtReserveMemAddress(&base_, total / unit_ * unit_ + unit_, 0,
					     nullptr, 0));
	}
	~Segment()
	{
		while (!handles_.empty())
			shrink();
		aclrtReleaseMemAddress(base_);
	}
	Segment(const Segment &) = delete;
	Segment &operator=(const Segment &) = delete;
	char *begin() const { return static_cast<char *>(base_); }
	char *end() const { return begin() + handles_.size() * unit_; }
	size_t unit() const { return unit_; }
	void grow()
	{
		aclrtDrvMemHandle handle;

		CHECK(aclrtMallocPhysical(&handle, unit_, &prop_, 0));
		const aclError code = aclrtMapMem(end(), unit_, 0, handle, 0);
		if (code != ACL_SUCCESS) {
			aclrtFreePhysical(handle);
			throw Error(code, "aclrtMapMem");
		}
		handles_.push_back(handle);
	}
	void shrink()
	{
		aclrtDrvMemHandle handle = handles_.back();

		handles_.pop_back();
		aclrtUnmapMem(end());
		aclrtFreePhysical(handle);
	}

      private:
	aclrtPhysicalMemProp prop_{};
	void *base_ = nullptr;
	size_t unit_ = 0;
	std::vector<aclrtDrvMemHandle> handles_;
};

class Allocator {
      public:
	explicit Allocator(const Stream &stream) : stream_(stream) {}

	void *allocate(size_t size)
	{
		/* 32 bytes that operators may touch behind a tensor; blocks of 512. */
		const size_t wanted = (size + 32 + 511) / 512 * 512;
		auto found = find(wanted);

		requests_++;
		if (found == blocks_.end()) {
			poll();
			found = find(wanted);
		}
		while (found == blocks_.end()) {
			grow();
			found = find(wanted);
		}
		return take(found, wanted);
	}
	/* Another stream uses it: what comes next may not, until that is done. */
	void record(void *ptr, const Stream &other)
	{
		block(ptr).events.push_back(std::make_unique<Event>(other));
	}
	void free(void *ptr)
	{
		Block &freed = block(ptr);

		freed.used = false;
		used_ -= freed.size;
		poll();
	}
	/* Gives back whatever is free at the end of the segment. */
	size_t empty()
	{
		size_t given = 0;

		for (auto &entry : blocks_) {
			for (const auto &event : entry.second.events)
				if (!entry.second.used)
					event->wait();
		}
		poll();
		stream_.synchronize();
		while (!blocks_.empty()) {
			auto last = std::prev(blocks_.end());

			if (last->second.used || last->second.size < segment_.unit())
				break;
			last->second.size -= segment_.unit();
			if (!last->second.size)
				blocks_.erase(last);
			segment_.shrink();
			given += segment_.unit();
		}
		return given;
	}
	size_t reserved() const
	{
		return static_cast<size_t>(segment_.end() - segment_.begin());
	}
	size_t used() const { return used_; }
	size_t requests() const { return requests_; }
	size_t growths() const { return growths_; }

      private:
	struct Block {
		size_t size;
		bool used;
		std::vector<std::unique_ptr<Event>> events; /* of other streams */
		bool idle() const { return !used && events.empty(); }
	};
	using Blocks = std::map<char *, Block>;

	Block &block(void *ptr)
	{
		const auto at = blocks_.find(static_cast<char *>(ptr));

		expect(at != blocks_.end() && at->second.used, "not a block in use");
		return at->second;
	}
	Blocks::iterator find(size_t size)
	{
		auto best = blocks_.end();

		for (auto at = blocks_.begin(); at != blocks_.end(); ++at) {
			if (at->second.idle() && at->second.size >= size &&
			    (best == blocks_.end() ||
			     at->second.size < best->second.size))
				best = at;
		}
		return best;
	}
	void *take(Blocks::iterator at, size_t size)
	{
		if (at->second.size > size) {
			blocks_.emplace(at->first + size,
					Block{at->second.size - size, false, {}});
			at->second.size = size;
		}
		at->second.used = true;
		used_ += size;
		return at->first;
	}
	void grow()
	{
		char *const at = segment_.end();

		segment_.grow();
		growths_++;
		blocks_.emplace(at, Block{segment_.unit(), false, {}});
		join();
	}
	/* What other streams are done with is idle, and idle neighbours are one. */
	void poll()
	{
		for (auto &entry : blocks_) {
			auto &events = entry.second.events;

			if (entry.second.used)
				continue;
			while (!events.empty() && events.back()->done())
				events.pop_back();
		}
		join();
	}
	void join()
	{
		for (auto at = blocks_.begin(); at != blocks_.end();) {
			auto next = std::next(at);

			if (next != blocks_.end() && at->second.idle() &&
			    next->second.idle()) {
				at->second.size += next->second.size;
				blocks_.erase(next);
			} else {
				at = next;
			}
		}
	}

	const Stream &stream_;
	Segment segment_;
	Blocks blocks_;
	size_t used_ = 0, requests_ = 0, growths_ = 0;
};

/* A tensor of the allocator, with one value. */
class Tensor {
      public:
	Tensor(Allocator &from, size_t count, int32_t value, const Stream &stream)
		: from_(from), count_(count), value_(value),
		  data_(from.allocate(count * sizeof(value)))
	{
		CHECK(aclrtMemsetD32Async(data_, bytes(), static_cast<uint32_t>(value),
					  count, stream.get()));
	}
	~Tensor() { from_.free(data_); }
	Tensor(const Tensor &) = delete;
	Tensor &operator=(const Tensor &) = delete;
	size_t bytes() const { return count_ * sizeof(value_); }
	void *data() const { return data_; }
	/* All numbers, read back. */
	void check() const
	{
		std::vector<int32_t> back(count_);

		CHECK(aclrtMemcpy(back.data(), bytes(), data_, bytes(),
				  ACL_MEMCPY_DEVICE_TO_HOST));
		for (const int32_t number : back)
			expect(number == value_, "a tensor has another value");
	}
	void add(int32_t value) { value_ += value; }

      private:
	Allocator &from_;
	size_t count_;
	int32_t value_;
	void *data_;
};

uint32_t roll(uint32_t sides)
{
	static uint32_t state = 12345;

	state = state * 1664525U + 1013904223U;
	return (state >> 8) % sides;
}

/* Layers: each keeps some tensors, drops others, and sums up in place. */
void train(Allocator &allocator, const Stream &stream, const Stream &side, int steps)
{
	for (int step = 0; step < steps; step++) {
		std::vector<std::unique_ptr<Tensor>> kept;

		for (int layer = 0; layer < 12; layer++) {
			const size_t count = 64 + roll(layer % 4 ? 20000 : 400000);
			auto weights = std::make_unique<Tensor>(allocator, count,
								step * 100 + layer, stream);
			Tensor gradient(allocator, count, 7, stream);

			CHECK(aclrtReduceAsync(weights->data(), gradient.data(),
					       gradient.bytes(),
					       ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM, ACL_INT32,
					       stream.get(), nullptr));
			weights->add(7);
			kept.push_back(std::move(weights));
		}
		/* A copy by another stream, of memory that is freed meanwhile. */
		Tensor target(allocator, 1000, 1, stream);
		{
			const Tensor source(allocator, 1000, 5, stream);

			stream.synchronize();
			CHECK(aclrtMemcpyAsync(target.data(), target.bytes(),
					       source.data(), source.bytes(),
					       ACL_MEMCPY_DEVICE_TO_DEVICE, side.get()));
			allocator.record(source.data(), side);
		}
		side.synchronize();
		target.add(4);
		target.check();
		stream.synchronize();
		for (const auto &tensor : kept)
			tensor->check();
	}
}

/* Whether the device is full: only this code says so. */
bool is_full(const Error &error)
{
	return error.code == ACL_ERROR_RT_MEMORY_ALLOCATION;
}

/* Blocks of the device until there are no more: then the cache must give some. */
void fill_up(Allocator &allocator)
{
	std::vector<void *> taken;
	size_t given = 0;
	bool full = false;

	while (!given) {
		void *block;
		const aclError code =
			aclrtMalloc(&block, 4 << 20, ACL_MEM_MALLOC_HUGE_FIRST);

		if (code == ACL_SUCCESS) {
			taken.push_back(block);
			continue;
		}
		full = is_full(Error(code, "aclrtMalloc"));
		expect(full, "a full device says 207001");
		given = allocator.empty();
		expect(given, "the cache has nothing to give");
	}
	printf("device full: the cache gave %zu KiB back, %zu KiB are used\n", given >> 10,
	       allocator.used() >> 10);
	for (void *const block : taken)
		CHECK(aclrtFree(block));
}

void run()
{
	const Device device(0);
	const Stream stream, side;
	Allocator allocator(stream);

	train(allocator, stream, side, 10);
	printf("%zu requests, %zu growths of the segment, %zu KiB reserved\n",
	       allocator.requests(), allocator.growths(), allocator.reserved() >> 10);
	expect(allocator.used() == 0, "a tensor was not freed");
	fill_up(allocator);
	train(allocator, stream, side, 2);
	stream.synchronize();
}

} // namespace

int main()
{
	try {
		run();
	} catch (const Wrong &wrong) {
		fprintf(stderr, "wrong: %s\n", wrong.what());
		return EXIT_FAILURE;
	} catch (const std::exception &error) {
		fprintf(stderr, "%s\n", error.what());
		return EXIT_FAILURE;
	}
	printf("caching_allocator: ok\n");
	return 0;
}
