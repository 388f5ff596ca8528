"""Uploads through a mounted application: forms, documents and signed URLs, as clients send them."""

import base64

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount
from support import PNG

import mediagen


def who(scope):
    user = dict(scope["headers"]).get(b"x-user")
    return {"user": user.decode()} if user else {"ip": "192.0.2.7"}


def client(engine, **headers):
    application = Starlette(routes=[Mount("/media", app=mediagen.asgi(engine, principal=who))])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=application), base_url="http://test", headers=headers
    )


async def picture(engine):
    output = (await engine.generate("a fox", user="u9", size="64x64")).outputs[0]
    async with client(engine, **{"x-user": "u9"}) as http:
        return (await http.get("/media" + output["url"])).content


async def test_a_form_a_data_url_and_the_picture_itself_are_one_upload(engine):
    png = await picture(engine)
    assert png[:8] == PNG
    async with client(engine, **{"x-user": "u1"}) as http:
        form = await http.post(
            "/media/v1/uploads",
            files={"file": ("../../fox.png", png, "image/png")},
            data={"visibility": "private"},
        )
        assert form.status_code == 201, form.text
        record = form.json()
        assert (record["source"], record["width"]) == ("uploaded", 64)
        assert form.headers["location"] == f"/media/v1/images/{record['id']}"
        data = {"dataUrl": "data:image/png;base64," + base64.b64encode(png).decode()}
        for answer in (
            await http.post("/media/v1/uploads", json=data),
            await http.post("/media/v1/uploads", content=png, headers={"content-type": "image/png"}),
        ):
            assert (answer.status_code, answer.json()["id"]) == (200, record["id"])
        assert (await http.get(record["url"])).content == png
        two = [("file", ("a.png", png)), ("file", ("b.png", png))]
        assert (await http.post("/media/v1/uploads", files=two)).status_code == 400
        local = await http.post("/media/v1/uploads", json={"url": "https://127.0.0.1/fox.png"})
        assert (local.status_code, local.json()["code"]) == (422, "forbidden")
    same = await engine.upload(png, principal={"user": "u1"})
    assert same["id"] == record["id"]


async def test_a_signed_url_takes_the_picture_from_whoever_has_it(engine):
    png = await picture(engine)
    async with client(engine, **{"x-user": "u1"}) as http, client(engine) as nobody:
        answer = await http.post("/media/v1/uploads/presign", json={"contentType": "image/png"})
        assert answer.status_code == 201, answer.text
        ticket = answer.json()
        assert (await nobody.post("/media/v1/uploads/presign")).status_code == 401
        brought = await nobody.request(
            ticket["method"], ticket["url"], content=png, headers=ticket["headers"]
        )
        assert brought.status_code == 204, brought.text
        assert (await nobody.put(ticket["url"] + "0", content=png)).status_code == 403
        done = await http.post(ticket["completeUrl"])
        assert (done.status_code, done.json()["id"]) == (201, ticket["id"])
        assert (await http.get(done.json()["url"])).content == png
