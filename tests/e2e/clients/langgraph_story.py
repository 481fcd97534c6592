"""The story with LangGraph: retrieve, plan with a hand-over by Command, then the tool loop."""

from __future__ import annotations

from typing import Any

from story import (DOWN, LIMITED, MADE_UP, MODEL, OPENAI_URL, PROMPT, REFUSING, SESSION_ID, STREAMED,
                   SYSTEM, attempt, tool_functions)


def tell() -> None:
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.memory import MemorySaver
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition
    from langgraph.types import Command

    def model(name: str, **options: Any) -> ChatOpenAI:
        return ChatOpenAI(model=name, base_url=OPENAI_URL, api_key="sk-test", **options)

    class Policies(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return [Document(page_content=f"refund Jane Doe, SSN {MADE_UP['ssn']}", id="doc-17",
                             metadata={"source": "kb://policies/17", "score": 0.91})]

    tools = [tool(function) for function in tool_functions()]
    llm = model(MODEL).bind_tools(tools)

    def retrieve(state: MessagesState) -> dict[str, Any]:
        documents = Policies().invoke(f"refund policy for {MADE_UP['email']}")
        return {"messages": [("user", documents[0].page_content)]}

    def planner(state: MessagesState) -> Command:
        return Command(goto="refund_agent", update={"messages": [("assistant", f"plan: {PROMPT}")]})

    def refund_agent(state: MessagesState) -> dict[str, Any]:
        return {"messages": [llm.invoke([("system", SYSTEM)] + state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("retrieve", retrieve)
    graph.add_node("planner", planner)
    graph.add_node("refund_agent", refund_agent)
    graph.add_node("tools", ToolNode(tools, handle_tool_errors=lambda error: f"Error: {error}"))
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "planner")
    graph.add_conditional_edges("refund_agent", tools_condition)
    graph.add_edge("tools", "refund_agent")
    app = graph.compile(checkpointer=MemorySaver(), name="refund_graph")

    config = {"configurable": {"thread_id": SESSION_ID}, "recursion_limit": 40}
    app.invoke({"messages": [("user", PROMPT)]}, config)
    for _ in model(STREAMED, stream_usage=True).stream(PROMPT, config):
        pass
    for name in (LIMITED, REFUSING):
        attempt(lambda: model(name, max_retries=2).invoke(PROMPT, config))
    attempt(lambda: model(DOWN, max_retries=0).invoke(PROMPT, config))
