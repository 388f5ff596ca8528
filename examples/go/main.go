// A Go server over mediagen's C ABI: one inbox whose descriptor the runtime's netpoller parks on, so no thread waits inside C.
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../include
#cgo LDFLAGS: -lmediagen
#include <mediagen/mediagen.h>
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

var (
	engine  *C.mediagen_engine
	inbox   *C.mediagen_inbox
	lastTag atomic.Uint64
	waiting sync.Map // tag → chan struct{}: something about it was told
)

// str borrows a Go string for one call: the bytes are copied to C and freed by the returned function.
func str(s string) (C.mediagen_str, func()) {
	data := C.CString(s)
	return C.mediagen_str{data: data, size: C.size_t(len(s))}, func() { C.free(unsafe.Pointer(data)) }
}

func failure(err *C.mediagen_error) error {
	json := C.mediagen_error_json(err)
	defer C.mediagen_error_free(err)
	return fmt.Errorf("%s", C.GoStringN(json.data, C.int(json.size)))
}

// pump reads the inbox whenever its pipe has a byte, and passes each notice to its tag.
func pump(pipe *os.File) {
	var one [64]byte
	for {
		if _, err := pipe.Read(one[:]); err != nil {
			return
		}
		for {
			var tag C.uint64_t
			var kind C.int32_t
			var event *C.mediagen_buffer
			C.mediagen_inbox_next(inbox, &tag, &kind, &event)
			C.mediagen_buffer_free(event)
			if kind == C.MEDIAGEN_KIND_EMPTY {
				break
			}
			if notices, found := waiting.Load(uint64(tag)); found {
				select {
				case notices.(chan struct{}) <- struct{}{}:
				default: // it has been told already
				}
			}
		}
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	tag, notices := lastTag.Add(1), make(chan struct{}, 1)
	waiting.Store(tag, notices)
	defer waiting.Delete(tag)
	var block strings.Builder
	r.Header.Write(&block)
	method, freeMethod := str(r.Method)
	target, freeTarget := str(r.URL.RequestURI())
	headers, freeHeaders := str(block.String())
	sent, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	body, freeBody := str(string(sent))
	defer func() { freeMethod(); freeTarget(); freeHeaders(); freeBody() }()
	var call *C.mediagen_call
	var err *C.mediagen_error
	none := C.mediagen_str{}
	code := C.mediagen_handle_begin(engine, method, target, headers, none, none, inbox, C.uint64_t(tag), &call, &err)
	if code < 0 {
		http.Error(w, failure(err).Error(), http.StatusBadRequest)
		return
	}
	defer C.mediagen_call_free(call) // also when the client has gone: nothing with this tag arrives any more
	if len(sent) > 0 {
		var taken C.size_t
		C.mediagen_call_write(call, body, &taken) // what is too large is answered, as an error
	}
	C.mediagen_call_end(call)
	if code == C.MEDIAGEN_PENDING {
		<-notices // HEAD
	}
	answer(w, r, call, notices)
}

// answer passes on the head and the body, piece by piece.
func answer(w http.ResponseWriter, r *http.Request, call *C.mediagen_call, notices chan struct{}) {
	var status C.int32_t
	var head C.mediagen_str
	C.mediagen_response_head(call, &status, &head)
	for _, line := range strings.Split(C.GoStringN(head.data, C.int(head.size)), "\r\n") {
		if name, value, found := strings.Cut(line, ": "); found {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(int(status))
	flusher, _ := w.(http.Flusher)
	for {
		body := C.mediagen_body{struct_size: C.sizeof_mediagen_body}
		if C.mediagen_response_body(call, &body) == C.MEDIAGEN_EMPTY {
			flusher.Flush()
			select {
			case <-notices: // READABLE
				continue
			case <-r.Context().Done():
				return
			}
		}
		switch body.kind {
		case C.MEDIAGEN_BODY_BYTES, C.MEDIAGEN_BODY_STREAM:
			view := C.mediagen_buffer_view(body.buffer)
			piece := unsafe.Slice((*byte)(unsafe.Pointer(view.data)), int(view.size))[body.offset : body.offset+body.length]
			w.Write(piece)
			C.mediagen_buffer_free(body.buffer)
		case C.MEDIAGEN_BODY_FILE:
			file := os.NewFile(uintptr(body.fd), "picture")
			io.Copy(w, io.NewSectionReader(file, int64(body.offset), int64(body.length)))
			file.Close()
		}
		if body.kind != C.MEDIAGEN_BODY_STREAM {
			return
		}
	}
}

func main() {
	config, _ := str(os.Args[1])
	var err *C.mediagen_error
	if C.mediagen_open(C.MEDIAGEN_ABI, config, &engine, &err) != C.MEDIAGEN_OK {
		log.Fatal(failure(err))
	}
	if C.mediagen_inbox_new(&inbox, &err) != C.MEDIAGEN_OK {
		log.Fatal(failure(err))
	}
	fd, dupErr := syscall.Dup(int(C.mediagen_inbox_fd(inbox)))
	if dupErr != nil {
		log.Fatal(dupErr)
	}
	syscall.SetNonblock(fd, true)
	go pump(os.NewFile(uintptr(fd), "inbox"))
	http.HandleFunc("/", serve)
	listener, listenErr := net.Listen("tcp", "127.0.0.1:0")
	if listenErr != nil {
		log.Fatal(listenErr)
	}
	fmt.Printf("listening http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
